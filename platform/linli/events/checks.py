"""What `manage.py check --deploy` says of the e-mails that tell of paused endpoints."""

from email.utils import parseaddr
from smtplib import SMTPSenderRefused
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.core.mail.backends.smtp import EmailBackend


@register(deploy=True)
def mail_goes_out(**_: Any) -> list[CheckMessage]:
    """Connects, secures, logs in and names the sender, as an e-mail would; none is sent."""
    if not settings.EMAIL_HOST:
        text = "Notices of paused webhooks are printed, not sent: LINLI_MAIL_HOST is not set."
        return [Warning(text, id="linli.W001")]
    found: list[CheckMessage] = []
    if settings.EMAIL_HOST_USER and not (settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL):
        text = "LINLI_MAIL_PASSWORD goes over the wire as it is: set LINLI_MAIL_SECURITY."
        found.append(Warning(text, id="linli.W002"))
    try:
        _knock()
    except (OSError, UnicodeError) as error:  # smtplib's are OSErrors
        where = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
        text = f"The SMTP server at {where} takes no e-mail of ours: {error!r}"
        found.append(Error(text, hint="See LINLI_MAIL_* in docs/running.md.", id="linli.E001"))
    return found


def _knock() -> None:
    with EmailBackend() as mail:
        server = mail.connection
        assert server is not None  # it is open
        server.ehlo_or_helo_if_needed()
        sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
        code, answer = server.mail(sender)
        if code != 250:
            raise SMTPSenderRefused(code, answer, sender)
