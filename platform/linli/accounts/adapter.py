"""Where Linli differs from allauth's defaults."""

from base64 import urlsafe_b64encode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest

from linli.accounts.models import Person
from linli.accounts.policy import Actor
from linli.accounts.sessions import FAMILY, end_family
from linli.audit.record import record, snapshot
from linli.rules import save_changes


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People are registered by an administrator (`linli.accounts.actions`)."""
        return False

    def logout(self, request: HttpRequest) -> None:
        """Signing out at the platform ends every session that was handed over from it."""
        family = request.session.get(FAMILY)
        logout(request)
        if family:
            end_family(family)

    def set_password(self, user: Person, password: str) -> None:
        """One's own. The library would write the whole row as the request had read it. Raises
        PermissionDenied for who was disabled or given another meanwhile: the session is over."""
        with transaction.atomic():
            now = Person.objects.select_for_update(no_key=True).get(pk=user.pk)
            if not now.is_active or now.password != user.password:
                raise PermissionDenied
            before = snapshot(user, "password")
            user.set_password(password)
            user.version = now.version
            save_changes(user, ["password"])
            record(
                actor=Actor(person=user, tenant=None),
                action="accounts.password_changed",
                obj=user,
                before=before,
                after=snapshot(user, "password"),
            )


class MFAAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        """Secrets of authenticator apps and recovery codes are not readable in a dump."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def _get_site_name(self) -> str:
        return settings.MFA_TOTP_ISSUER


def display_name(person: Person) -> str:
    return person.name


def _fernet() -> MultiFernet:
    """Keys derived from the secret key; SECRET_KEY_FALLBACKS still decrypt after a change."""
    secrets = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    derivation = HKDF(SHA256(), length=32, salt=None, info=b"linli.accounts.adapter")
    return urlsafe_b64encode(derivation.derive(secret.encode()))
