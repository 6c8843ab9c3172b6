import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from linli.events.deliverer import Deliverer


class Command(BaseCommand):
    help = "Sequence events and deliver webhooks, until interrupted."

    def handle(self, *args: Any, **options: Any) -> None:
        deliverer = Deliverer(settings.LINLI_WEBHOOK_NETWORKS)

        def stop(_number: int, _frame: Any) -> None:
            deliverer.stopping = True

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        deliverer.run()
