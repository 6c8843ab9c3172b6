"""A person's second factors are written by allauth; here they leave a row in our trail.

On the model's signals and not on allauth's own, because those come after the commit, while these
come in the transaction in which `linli.accounts.urls` runs allauth's views.
"""

from typing import Any

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from linli.accounts.policy import Actor
from linli.audit.record import record, snapshot


@receiver(post_save, sender=Authenticator)
def factor_added(instance: Authenticator, created: bool, **_: Any) -> None:
    """Using a factor saves it too, which is no change of rights and leaves no row."""
    if created:
        _record("accounts.factor_added", instance, None, snapshot(instance, "type", "user"))


@receiver(post_delete, sender=Authenticator)
def factor_removed(instance: Authenticator, **_: Any) -> None:
    _record("accounts.factor_removed", instance, snapshot(instance, "type", "user"), None)


def _record(
    action: str,
    factor: Authenticator,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    with transaction.atomic():
        record(
            actor=Actor(person=factor.user, tenant=None),
            action=action,
            obj=factor,
            before=before,
            after=after,
        )
