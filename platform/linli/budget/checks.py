"""What `manage.py check --deploy` says of the addresses that points and shares are counted by."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register(deploy=True)
def addresses_are_known(**_: Any) -> list[CheckMessage]:
    """Whoever serves https with us has a proxy in front."""
    if settings.ALLAUTH_TRUSTED_PROXY_COUNT or not settings.SECURE_SSL_REDIRECT:
        return []
    text = "All who come through the proxy count as one address: LINLI_TRUSTED_PROXIES is 0."
    hint = "Set it to how many proxies in front add to X-Forwarded-For."
    return [Warning(text, hint=hint, id="linli.W003")]
