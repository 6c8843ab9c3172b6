"""Packages as another installation makes them."""

from base64 import b64encode
from copy import deepcopy
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from linli.accounts.policy import system_actor
from linli.library.document import digest
from linli.library.models import TrustedSource
from linli.library.packages import writing
from linli.library.packages.actions import add_trusted_source
from linli.library.signing import public_text
from tests.support.models import chengnan

RATE = "partners.contributions[stationed].rate"


def key_of(seed: int) -> Ed25519PrivateKey:
    """The same for the same seed."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def trust(seed: int, name: str = "大同") -> TrustedSource:
    key = public_text(key_of(seed).public_key())
    return add_trusted_source(actor=system_actor(None), name=name, public_key=key)


@cache
def pixels(form: str = "JPEG", size: tuple[int, int] = (30, 20)) -> bytes:
    """A file as Pillow writes it."""
    out = BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, form)
    return out.getvalue()


def picture(raw: bytes | None = None, **more: Any) -> dict[str, Any]:
    """What a package holds of a picture, 30 × 20 unless told; ``raw``: its bytes."""
    raw = pixels() if raw is None else raw
    return {
        "content_type": "image/jpeg",
        "width": 30,
        "height": 20,
        "size": len(raw),
        "digest": sha256(raw).hexdigest(),
        "alt": "食堂的门口",
        "caption": "每天开门",
        "content": b64encode(raw).decode(),
    } | more


def content(**more: Any) -> dict[str, Any]:
    """What a package of Pingcheng's holds; ``document`` and ``bounds`` come with their digest."""
    rules = {
        "document": chengnan(),
        "bounds": {RATE: {"minimum": "0.01", "maximum": "0.05"}},
    } | {name: more[name] for name in ("document", "bounds") if name in more}
    return deepcopy(
        {
            "author": {"id": str(uuid4()), "name": "古城街道", "within": ["平城区", "大同市"]},
            "key": "gucheng",
            "number": 1,
            "title": "古城模式",
            **rules,
            "digest": digest(rules),
            "notes": "第一版",
            "profiles": ["old_estate"],
            "case_text": "两年，三个社区。",
            "evidence": {"communities": {"value": "3.000000", "as_of": "2026-06-30"}},
            "pictures": [picture()],
            "published_at": "2026-07-01T00:00:00+00:00",
            "derived_from": [],
        }
        | more
    )


def sign(content: dict[str, Any], key: Ed25519PrivateKey) -> str:
    return writing.sign(content, key).decode()


def package(seed: int, **more: Any) -> str:
    """The file, signed by the key of the seed."""
    return sign(content(**more), key_of(seed))
