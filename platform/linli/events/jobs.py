"""Telling people what only they can mend: an endpoint of theirs was paused."""

from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from linli.accounts.models import Membership
from linli.accounts.policy import Permission
from linli.accounts.roles import roles_with
from linli.events.models import WebhookEndpoint
from linli.jobs import APP, tenant_job
from linli.registry.models import Tenant


@tenant_job(queue=APP)
def tell_of_pause(tenant: Tenant, *, endpoint_id: str) -> None:
    """One e-mail to each who may manage webhooks in the whole unit and has an address.

    In the installation's language: a person has none of their own. Nothing where the endpoint was
    resumed or deleted meanwhile.
    """
    failing = WebhookEndpoint.objects.filter(
        pk=UUID(endpoint_id), state=WebhookEndpoint.State.FAILING, deleted_at=None
    ).first()
    if failing is None or failing.failing_since is None:
        return
    with override(settings.LANGUAGE_CODE):
        since = date_format(timezone.localtime(failing.failing_since), "DATETIME_FORMAT")
        subject = _("{tenant}: a webhook endpoint was paused").format(tenant=tenant.name)
        text = _(
            "{url} has not taken an event since {since}, so nothing is sent to it any more. What"
            " happens meanwhile waits for 30 days. Mend the receiver, then run"
            " resumeWebhookEndpoint; webhookDeliveries shows why it failed."
        ).format(url=failing.url, since=since)
        messages = [EmailMessage(subject, text, to=[address]) for address in _addresses(tenant)]
    get_connection().send_messages(messages)


def _addresses(tenant: Tenant) -> list[str]:
    managing = Membership.objects.live().filter(
        ~Q(person__email=""),
        tenant=tenant,
        community_id=None,
        role__in=roles_with(Permission.WEBHOOKS_MANAGE),
        person__is_active=True,
    )
    return sorted(set(managing.values_list("person__email", flat=True)))
