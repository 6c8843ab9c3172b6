"""Callers who have not come for a while leave nothing behind."""

from procrastinate.contrib.django import app

from linli.budget.lease import SECONDS
from linli.budget.models import Account
from linli.jobs import APP

KEPT_MINUTES = 60


@app.periodic(cron="17 * * * *")
@app.task(name="linli.budget.jobs.sweep", queue=APP)
def sweep(timestamp: int) -> None:
    """Rows whose minute is long over say nothing, but for what was agreed."""
    oldest = timestamp // SECONDS - KEPT_MINUTES
    Account.objects.filter(agreed_points=None, minute__lt=oldest).delete()
