"""What is agreed with one caller beyond the installation's default."""

from uuid import UUID

from linli.budget.models import Account


def agree_points(caller: UUID, points: int | None) -> None:
    """How many points a minute a person or a client has; None for the default again."""
    Account.objects.update_or_create(pk=caller, defaults={"agreed_points": points})
