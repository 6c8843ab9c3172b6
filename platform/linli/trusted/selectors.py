"""Trusted documents: the list, and what a request needs to know without asking each time."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from linli.accounts.policy import Actor, Permission
from linli.registry.models import Tenant
from linli.trusted.models import DocumentRule, TrustedDocument

# What is withdrawn, and a rule that is set, hold in every process after so many seconds.
FRESH_SECONDS = 10
REMEMBERED = 2_000
# Characters of a text; a longer one is looked up each time, or a few would fill the memory.
LONGEST_REMEMBERED = 16_000
_ID = re.compile(r"sha256:([0-9a-f]{64})", re.ASCII)


def trusted_documents(*, actor: Actor) -> QuerySet[TrustedDocument]:
    """All of the actor's tenant, the withdrawn ones too."""
    actor.require_somewhere(Permission.DOCUMENTS_READ)
    if actor.tenant is None:
        return TrustedDocument.objects.none()
    return TrustedDocument.objects.filter(tenant_id=actor.tenant.pk)


def only_trusted(tenant_id: UUID) -> bool:
    """Whether clients may run nothing but trusted documents there."""
    return _rules.get(tenant_id, lambda: _rule(tenant_id))


def rule_by_tenant(tenants: Sequence[Tenant], actor: Actor) -> dict[UUID, DocumentRule]:
    """The rules of many as they stand at this moment; where nothing was ruled, one of version 0."""
    rules = DocumentRule.objects.in_bulk([tenant.pk for tenant in tenants])
    none = {"only_trusted": False, "version": 0}
    return {t.pk: rules.get(t.pk) or DocumentRule(tenant_id=t.pk, **none) for t in tenants}


def text_of(tenant_id: UUID, document_id: str) -> str | None:
    """The document a tenant trusts under this id; None when there is none."""
    match = _ID.fullmatch(document_id)
    if match is None:
        return None
    return _texts.get((tenant_id, match[1]), lambda: _text(tenant_id, match[1]))


def known_to_take_any(tenant_id: UUID) -> bool:
    """Whether this process knows, without asking, that clients may send any document there."""
    return _rules.known_now(tenant_id) is False


def known_text(tenant_id: UUID, document_id: str) -> str | None:
    """`text_of` as far as this process knows it without asking."""
    match = _ID.fullmatch(document_id)
    return _texts.known_now((tenant_id, match[1])) if match else None


def _rule(tenant_id: UUID) -> bool:
    found = DocumentRule.objects.filter(pk=tenant_id).values_list("only_trusted", flat=True)
    return bool(found.first())


def _text(tenant_id: UUID, digest: str) -> str | None:
    found = TrustedDocument.objects.filter(tenant_id=tenant_id, digest=digest, withdrawn_at=None)
    return found.values_list("text", flat=True).first()


@dataclass(frozen=True)
class _Known:
    value: Any
    until: int


class _Memory:
    """What was looked up, for FRESH_SECONDS. Nothing that was not found is kept: it may come."""

    def __init__(self) -> None:
        self.known: dict[Any, _Known] = {}
        self.lock = Lock()

    def known_now(self, key: Any) -> Any:
        known = self.known.get(key)
        return known.value if known is not None and time.monotonic_ns() < known.until else None

    def get(self, key: Any, look_up: Any) -> Any:
        value = self.known_now(key)
        if value is not None:
            return value
        until = time.monotonic_ns() + FRESH_SECONDS * 10**9
        value = look_up()
        with self.lock:
            if len(self.known) >= REMEMBERED:
                self.known.clear()
            if value is None or (isinstance(value, str) and len(value) > LONGEST_REMEMBERED):
                self.known.pop(key, None)
            else:
                self.known[key] = _Known(value, until)
        return value


_texts, _rules = _Memory(), _Memory()
