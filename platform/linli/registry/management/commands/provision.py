from typing import Any

from django.core.management.base import BaseCommand, CommandError

from linli.errors import Refused
from linli.registry.models import Tenant
from linli.registry.provisioning import provision


class Command(BaseCommand):
    help = "Provision requested tenants, or finish what a killed run began."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("slug", nargs="*", help="which tenants; all unfinished ones if none")

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = Tenant.objects.order_by("pk")
        if options["slug"]:
            tenants = tenants.filter(slug__in=options["slug"])
        else:
            tenants = tenants.filter(
                status__in=[Tenant.Status.REQUESTED, Tenant.Status.PROVISIONING]
            )
        unknown = set(options["slug"]) - {tenant.slug for tenant in tenants}
        if unknown:
            raise CommandError(f"no tenant has the slug {', '.join(sorted(unknown))}")
        failed = []
        for tenant in tenants:
            try:
                provision(tenant.pk, actor=None)
            except Refused as refused:
                failed.append(tenant.slug)
                self.stderr.write(f"{tenant.slug}: {refused}")
            else:
                self.stdout.write(f"{tenant.slug}: active")
        if failed:
            raise CommandError(f"not provisioned: {', '.join(failed)}")
