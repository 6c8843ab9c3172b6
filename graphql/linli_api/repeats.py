"""A request with an ``Idempotency-Key`` is run once, however often it is sent.

All its mutations run in one transaction, each in a savepoint of its own, and the answer is kept in
that transaction too. So there is no moment at which something is done and its answer not kept: a
process that dies before the commit has done nothing, one that dies after it has left the answer.
Refusals are answers like others. A secret is told once: the answer is kept without it. What is not
kept, so that the same key may be tried again: a request of which nothing was run; and a fault of ours
or a time that ran out, which with a key undo all of the request.
"""

import json
import re

import graphene
from django.db import DatabaseError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _
from graphql import GraphQLError, OperationType

from linli.accounts.policy import Actor
from linli.errors import Refused
from linli.registry.models import Tenant
from linli.repeats.keeping import Asked, Overtaken, keep, recall
from linli_api.errors import InvalidRequest, answers
from linli_api.execution import Answer, Prepared, Request, prepare
from linli_api.limits import deadline
from linli_api.metering import Meter

# As many as Stripe takes; printable, so that a key can be read out from a log. Two headers of one name
# come as one with a comma between (RFC 9110, section 5.3), so a key holds none.
_KEY = re.compile(r"[!-+\--~]([ -+\--~]{0,253}[!-+\--~])?")


class _Undone(Exception):
    """Leaves the transaction so that nothing of it stays."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def checked_key(header: str | None) -> str | None:
    """The header's value; raises InvalidRequest IDEMPOTENCY_KEY_INVALID."""
    if header is not None and not _KEY.fullmatch(header):
        message = _(
            "Send one Idempotency-Key, of 1 to 255 printable ASCII characters without a comma, such "
            "as a UUID."
        )
        raise InvalidRequest("IDEMPOTENCY_KEY_INVALID", message)
    return header


def run_once(
    schema: graphene.Schema,
    request: Request,
    actor: Actor | None,
    key: str | None,
    meter: Meter | None = None,
) -> Answer:
    """As `execution.run`, and with a key the answer of before where there is one.

    Raises InvalidRequest IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE.
    """
    prepared = prepare(schema, request, actor, meter)
    if isinstance(prepared, Answer):
        return prepared
    asked = _asked(prepared, key)
    if asked is None:
        return prepared.run()
    if meter:  # as `Prepared.run` will have it; in the transaction a rollback would undo it
        deadline.put_ceiling(OperationType.MUTATION)
    while True:
        try:
            with transaction.atomic():
                return _run(prepared, asked)
        except _Undone as undone:
            return undone.answer
        except Overtaken:
            continue
        except Refused as refused:
            raise InvalidRequest(refused.code, refused.message) from refused
        except DatabaseError as error:  # the commit itself, which may have been done or not
            return Answer("null", answers([GraphQLError("", original_error=error)]))


def _run(prepared: Prepared, asked: Asked) -> Answer:
    if (kept := recall(asked)) is not None:
        return Answer(None, kept=kept)
    answer = prepared.run()
    faults = [one for one in answer.errors if one["extensions"]["code"] == "INTERNAL"]
    if faults:
        raise _Undone(Answer("null", faults))
    if answer.late:
        raise _Undone(Answer("null", answers([GraphQLError("", original_error=answer.late)])))
    if not answer.ran:
        raise _Undone(answer)
    keep(asked, answer.to_keep)
    return answer


def _asked(prepared: Prepared, key: str | None) -> Asked | None:
    """None where there is nothing to keep: no key, no mutation, or nobody who may write here."""
    actor, request = prepared.actor, prepared.request
    owner_id = (actor.client_id or actor.person_id) if actor else None
    if key is None or owner_id is None or not prepared.writes:
        return None
    tenant = actor.tenant if actor else None
    if tenant and (not actor.grants or tenant.status == Tenant.Status.SUSPENDED):  # type: ignore[union-attr]
        return None
    # What it may too: a narrower token must not read what a wider one of the same client was told.
    scopes = sorted(actor.client.scopes) if actor and actor.client else None
    told = [request.query, request.operation_name, request.variables, scopes]
    canonical = json.dumps(told, sort_keys=True, separators=(",", ":"))
    # Under our key: a plain hash would let whoever reads the row try passwords that were set.
    fingerprint = salted_hmac("linli.repeats", canonical, algorithm="sha256").hexdigest()
    return Asked(owner_id, key, fingerprint)
