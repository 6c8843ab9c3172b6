"""Through which SMTP server notices go: Django's EMAIL_* settings, from the environment."""

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

# How the connection is secured, and the port that is usual for it.
PORTS = {"none": 25, "starttls": 587, "ssl": 465}
# What says nothing without a host.
HOW = (
    "LINLI_MAIL_PORT",
    "LINLI_MAIL_SECURITY",
    "LINLI_MAIL_USER",
    "LINLI_MAIL_PASSWORD",
    "LINLI_MAIL_TIMEOUT",
)


def mail_settings(environment: Mapping[str, str], sender: str) -> dict[str, Any]:
    """sender: whom notices are from unless LINLI_MAIL_FROM is set. Without LINLI_MAIL_HOST they
    are printed. Raises ImproperlyConfigured for what could not send a single one."""
    host, named = (environment.get(n, "") for n in ("LINLI_MAIL_HOST", "LINLI_MAIL_FROM"))
    port, security, user, password, timeout = (environment.get(name, "") for name in HOW)
    for name in HOW:
        if environment.get(name) and not host:
            raise ImproperlyConfigured(f"{name} is set, LINLI_MAIL_HOST is not.")
    if bool(user) != bool(password):
        raise ImproperlyConfigured("Set both LINLI_MAIL_USER and LINLI_MAIL_PASSWORD, or neither.")
    security = security or "none"
    if security not in PORTS:
        wanted = ", ".join(PORTS)
        raise ImproperlyConfigured(f"LINLI_MAIL_SECURITY is {security!r}; it is one of: {wanted}.")
    kind = "smtp" if host else "console"
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{kind}.EmailBackend",
        "EMAIL_HOST": host,
        "EMAIL_PORT": _number("LINLI_MAIL_PORT", port, usual=PORTS[security], most=65_535),
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": security == "starttls",
        "EMAIL_USE_SSL": security == "ssl",
        "EMAIL_TIMEOUT": _number("LINLI_MAIL_TIMEOUT", timeout, usual=30, most=600),
        "DEFAULT_FROM_EMAIL": _address(named) if named else sender,
    }


def _number(name: str, text: str, *, usual: int, most: int) -> int:
    if not text:
        return usual
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
        raise ImproperlyConfigured(f"{name} is {text!r}; it is a number from 1 to {most}.")
    return int(text)


def _address(text: str) -> str:
    """As ``linli@example.cn`` or ``邻里 <linli@example.cn>``."""
    try:
        validate_email(parseaddr(text)[1] if text.isprintable() else "")
    except ValidationError as error:
        raise ImproperlyConfigured(f"LINLI_MAIL_FROM is {text!r}; it is no address.") from error
    return text
