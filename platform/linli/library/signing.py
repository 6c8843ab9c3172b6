"""The key this installation signs with what leaves it as a file, and reading those of others (M5).

Ed25519. A key's text is the base64 of its 32 bytes, or PEM; its fingerprint the first 32 hex digits of the
SHA-256 of the public key's 32 bytes. How they are used: docs/adr/0014-signed-packages.md.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from linli.errors import Refused

KEY_BYTES = 32
LONGEST_KEY = 1_000  # characters of a PEM with room to spare


def signing_key() -> Ed25519PrivateKey:
    """The installation's own. Refused: SIGNING_KEY_MISSING where production has none, or no key."""
    given = settings.LINLI_SIGNING_KEY
    key = _read(given) if given else _derived() if settings.DEVELOPMENT else None
    if key is None:
        message = _(
            "This installation has no key to sign with. Whoever runs it sets LINLI_SIGNING_KEY."
        )
        raise Refused("SIGNING_KEY_MISSING", message)
    return key


def own_fingerprint() -> str | None:
    """The fingerprint of the installation's own key; None where it has none."""
    try:
        return fingerprint(signing_key().public_key())
    except Refused:
        return None


def fingerprint(public: Ed25519PublicKey) -> str:
    return sha256(public.public_bytes_raw()).hexdigest()[:32]


def public_text(public: Ed25519PublicKey) -> str:
    """As it is shown and registered: base64 of the 32 bytes."""
    return b64encode(public.public_bytes_raw()).decode()


def parse_public(text: str, *, field: str | None = None) -> Ed25519PublicKey:
    """From base64 or PEM. Refused: PUBLIC_KEY_INVALID."""
    try:
        if len(text) > LONGEST_KEY:
            raise ValueError
        if text.lstrip().startswith("-----"):
            key = load_pem_public_key(text.strip().encode())
            if not isinstance(key, Ed25519PublicKey):
                raise ValueError
            return key
        return Ed25519PublicKey.from_public_bytes(_bytes(text))
    except (ValueError, UnsupportedAlgorithm):
        message = _(
            "This is no public key. Paste the one that the other installation shows: 44 signs that"
            " end in “=”, or PEM of an Ed25519 key."
        )
        raise Refused("PUBLIC_KEY_INVALID", message, field=field) from None


@lru_cache(maxsize=4)
def _read(text: str) -> Ed25519PrivateKey | None:
    """None for what is no key; the check `linli.E002` says so."""
    try:
        if text.lstrip().startswith("-----"):
            key = load_pem_private_key(text.strip().encode(), password=None)
            return key if isinstance(key, Ed25519PrivateKey) else None
        return Ed25519PrivateKey.from_private_bytes(_bytes(text))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def is_key(text: str) -> bool:
    """Whether a setting can be signed with."""
    return _read(text) is not None


def _derived() -> Ed25519PrivateKey:
    """A development machine's: from its secret, so that there is nothing to set up."""
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"linli.library.signing")
    return Ed25519PrivateKey.from_private_bytes(derived.derive(settings.SECRET_KEY.encode()))


def _bytes(text: str) -> bytes:
    try:
        raw = b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError from error
    if len(raw) != KEY_BYTES:
        raise ValueError
    return raw
