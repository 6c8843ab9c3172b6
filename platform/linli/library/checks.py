"""What `manage.py check --deploy` says of the key that packages are signed with."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from linli.library.signing import is_key

_HINT = "See LINLI_SIGNING_KEY in docs/running.md."


@register(deploy=True)
def packages_are_signed(**_: Any) -> list[CheckMessage]:
    """Without a key nothing can be exported; a development machine derives one."""
    given = settings.LINLI_SIGNING_KEY
    if given and not is_key(given):
        return [Error("LINLI_SIGNING_KEY is no Ed25519 key.", hint=_HINT, id="linli.E002")]
    if given:
        return []
    if settings.DEVELOPMENT:
        text = (
            "Packages are signed with a key derived from the secret: LINLI_SIGNING_KEY is not set."
        )
    else:
        text = "No operating model can be exported as a file: LINLI_SIGNING_KEY is not set."
    return [Warning(text, hint=_HINT, id="linli.W004")]
