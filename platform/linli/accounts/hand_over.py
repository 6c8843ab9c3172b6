"""One log-in for all hosts, without a cookie that more than one host can read.

1. The tenant's host leaves a secret in a cookie of its own and sends the browser to the platform
   with the secret's digest, the *state*.
2. The platform, once the person is logged in there and may enter the tenant, writes a one-time
   code bound to person, host and state, and sends the browser back with the code.
3. The tenant's host trades code and secret for a session of its own. A code is good once and for
   a minute; without the cookie's secret it is worth nothing, so it may be seen in a log.
"""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from linli.accounts.models import OneTimeCode, Person, Session
from linli.errors import Refused

GOOD_FOR = timedelta(seconds=60)


@dataclass(frozen=True)
class HandedOver:
    """Who enters, and what their session at the platform is known by."""

    person: Person
    family: str
    methods: list[str]


def digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def address(host: str) -> str:
    """Where a host is reached: with the scheme and port of the platform's own address."""
    platform = urlsplit(settings.LINLI_PLATFORM_URL)
    return f"{platform.scheme}://{host}" + (f":{platform.port}" if platform.port else "")


def issue(*, person: Person, host: str, state: str, family: str, methods: list[str]) -> str:
    """A code for ``person`` to enter ``host``. The caller has checked that they may."""
    now = timezone.now()
    OneTimeCode.objects.filter(expires_at__lt=now).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    code = token_urlsafe(32)
    OneTimeCode.objects.create(
        digest=digest(code),
        person=person,
        host=host,
        state=state,
        facts={
            "family": family,
            "methods": methods,
            "auth_hash": person.get_session_auth_hash(),
        },
        expires_at=now + GOOD_FOR,
    )
    return code


def redeem(*, code: str, secret: str, host: str) -> HandedOver:
    """Use a code up. Raises `Refused` SIGN_IN_EXPIRED, always the same, whatever is wrong with it.

    A code that is shown is gone, even if it is then refused; two requests cannot both have it.
    """
    found = _take(digest(code))
    if (
        found is None
        or found.expires_at < timezone.now()
        or found.host != host
        or not constant_time_compare(found.state, digest(secret))
        or not _still_stands(found.person, found.facts)
    ):
        raise Refused("SIGN_IN_EXPIRED", _("This sign-in is no longer valid. Sign in again."))
    return HandedOver(found.person, found.facts["family"], found.facts["methods"])


def _take(code_digest: str) -> OneTimeCode | None:
    table = connection.ops.quote_name(OneTimeCode._meta.db_table)
    columns = ", ".join(str(field.column) for field in OneTimeCode._meta.concrete_fields)
    rows = OneTimeCode.objects.raw(
        f"DELETE FROM public.{table} WHERE digest = %s RETURNING {columns}", [code_digest]
    )
    return next(iter(rows), None)


def _still_stands(person: Person, facts: dict[str, Any]) -> bool:
    """Not disabled, no new password, and not signed out at the platform in the meantime."""
    return (
        person.is_active
        and constant_time_compare(facts["auth_hash"], person.get_session_auth_hash())
        and Session.objects.filter(family=facts["family"]).exists()
    )
