"""Admitting partners, signing agreements with them, taking what they declare."""

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.audit.record import entry, record, snapshot
from linli.errors import NotFound, Refused
from linli.events.emit import emit, event
from linli.inserting import insert
from linli.money import MAX_FEN, fen_from_yuan, yuan
from linli.rules import camel_case, check_fields, check_version, save_changes, upheld
from linli.tenancy.context import connection
from linli.tenancy.postgresql.prepared import value_of
from tenants.communities.selectors import community_to_act_on
from tenants.operating_model import stamps
from tenants.operating_model.rulebook import Rulebook
from tenants.operating_model.selectors import effective_rules
from tenants.operating_model.warm import rulebook_at
from tenants.partners.models import Agreement, Contribution, Declaration, Partner
from tenants.partners.selectors import partners_to_act_on
from tenants.partners.terms import Terms, check_kind, check_terms, terms_of
from tenants.partners.working import Declared, Worked, work_out

# What is worked out from of an agreement.
_TERMS = ("id", "partner_id", "mode", "rule_key", "agreed_rate", "rent_free_months", "starts_on",
          "ends_on")  # fmt: skip
_FIELDS = [Agreement._meta.get_field(name.removesuffix("_id")) for name in _TERMS]
_LOCKED = f"""
    SELECT partner.community_id, {", ".join(f"agreement.{name}" for name in _TERMS)}
    FROM partners_agreement AS agreement
    JOIN partners_partner AS partner ON partner.id = agreement.partner_id
    WHERE agreement.id = $1 AND ($2::uuid[] IS NULL OR partner.community_id = ANY($2))
    FOR NO KEY UPDATE OF agreement
"""


class PartnerChanges(TypedDict, total=False):
    """What may be corrected of a partner; what is left out stays."""

    name: str
    kind: str
    is_individual: bool
    joined_on: date


def admit_partner(
    *,
    actor: Actor,
    community_id: UUID,
    name: str,
    kind: str,
    is_individual: bool = False,
    joined_on: date | None = None,
    sample: bool = False,
) -> Partner:
    """Admit a partner to a community (P1); ``kind`` is one of the rules in force there today.

    Raises `Forbidden`, `NotFound`, `Refused` KIND_UNKNOWN, PARTNER_ADMITTED, faults of fields.
    """
    actor.require(Permission.PARTNERS_ADMIT, community_id=community_id)
    community = community_to_act_on(community_id)
    partner = Partner(
        community=community,
        name=name.strip(),
        kind=kind,
        is_individual=is_individual,
        joined_on=joined_on or timezone.localdate(),
        sample=sample,
    )
    check_kind(effective_rules(timezone.localdate(), community.pk), kind)
    check_fields(partner)
    with transaction.atomic():
        with upheld(partner_once_a_community=lambda: _admitted(partner)):
            partner.save(force_insert=True)
        record(
            actor=actor,
            action="partners.admitted",
            obj=partner,
            before=None,
            after=snapshot(partner),
        )
        emit(
            actor=actor,
            type="partner.admitted",
            obj=partner,
            community_id=community.pk,
            data={
                "community": community.pk,
                "kind": kind,
                "is_individual": is_individual,
                "joined_on": partner.joined_on,
            },
        )
    return partner


def update_partner(
    *,
    actor: Actor,
    partner_id: UUID,
    expected_version: int | None = None,
    reason: str = "",
    **changes: Unpack[PartnerChanges],
) -> Partner:
    """Correct what was written down of a partner. What changes nothing leaves no trace.

    Raises `Forbidden`, `NotFound`, `Refused` KIND_UNKNOWN, PARTNER_ADMITTED, VERSION_CONFLICT,
    faults of fields.
    """
    permission = Permission.PARTNERS_ADMIT
    actor.require_somewhere(permission)
    with transaction.atomic():
        partner = (
            partners_to_act_on(actor, permission)
            .select_related("community")
            .select_for_update(of=("self",), no_key=True)
            .filter(pk=partner_id)
            .first()
        )
        if partner is None:
            raise NotFound(_("partner"), field="partnerId")
        check_version(partner, expected_version)
        was, before = partner.kind, snapshot(partner, *changes)
        held = {field: getattr(partner, field) for field in changes}
        for field, value in changes.items():
            setattr(partner, field, value.strip() if isinstance(value, str) else value)
        if held == {field: getattr(partner, field) for field in changes}:
            return partner
        if partner.kind != was:
            rules = effective_rules(timezone.localdate(), partner.community_id)
            check_kind(rules, partner.kind)
        check_fields(partner)
        with upheld(partner_once_a_community=lambda: _admitted(partner)):
            save_changes(partner, changes)
        record(
            actor=actor,
            action="partners.updated",
            obj=partner,
            before=before,
            after=snapshot(partner, *changes),
            reason=reason,
        )
        emit(
            actor=actor,
            type="partner.updated",
            obj=partner,
            community_id=partner.community_id,
            data={
                "changed": sorted(
                    camel_case(name) for name in held if held[name] != getattr(partner, name)
                )
            },
        )
    return partner


def sign_agreement(
    *,
    actor: Actor,
    partner_id: UUID,
    mode: str,
    rule_key: str,
    starts_on: date,
    ends_on: date,
    agreed_rate: Decimal | str | None = None,
    services: str = "",
    spaces: str = "",
    utilities_borne_by: str = Agreement.Bearer.PARTNER,
    rent_free_months: int = 0,
    sample: bool = False,
) -> Agreement:
    """What a partner and its community agree for the days [starts_on, ends_on) (P3).

    Held against the rules of today, or of the nearest day of the term to it. Raises `Forbidden`,
    `NotFound`, `Refused` TERM_INVALID, RULE_UNKNOWN, RULE_NOT_FOR_MODE, RATE_NOT_FOR_RULE,
    RATE_INVALID, OUTSIDE_BOUNDS, RENT_FREE_TOO_LONG, AGREED_ALREADY, faults of fields.
    """
    actor.require_somewhere(Permission.PARTNERS_SIGN)
    partner = partners_to_act_on(actor, Permission.PARTNERS_SIGN).filter(pk=partner_id).first()
    if partner is None:
        raise NotFound(_("partner"), field="partnerId")
    agreement = Agreement(
        partner=partner,
        mode=mode,
        rule_key=rule_key,
        agreed_rate=_rate(agreed_rate),
        services=services.strip(),
        spaces=spaces.strip(),
        utilities_borne_by=utilities_borne_by,
        rent_free_months=rent_free_months,
        starts_on=starts_on,
        ends_on=ends_on,
        sample=sample,
    )
    _check_order(starts_on, ends_on, code="TERM_INVALID")
    day = min(max(starts_on, timezone.localdate()), ends_on - timedelta(days=1))
    check_terms(effective_rules(day, partner.community_id), agreement)
    check_fields(agreement)
    with transaction.atomic():
        with upheld(agreement_rule_once=lambda: _agreed_already(agreement)):
            agreement.save(force_insert=True)
        record(
            actor=actor,
            action="partners.agreement_signed",
            obj=agreement,
            before=None,
            after=snapshot(agreement),
        )
        emit(
            actor=actor,
            type="agreement.signed",
            obj=agreement,
            community_id=partner.community_id,
            data={
                "partner": partner.pk,
                "mode": agreement.mode,
                "rule_key": rule_key,
                "starts_on": starts_on,
                "ends_on": ends_on,
            },
        )
    return agreement


def _agreed_already(agreement: Agreement) -> Refused:
    earlier = (
        Agreement.objects.filter(partner=agreement.partner, rule_key=agreement.rule_key)
        .filter(starts_on__lt=agreement.ends_on, ends_on__gt=agreement.starts_on)
        .order_by("starts_on")[0]
    )
    return Refused(
        "AGREED_ALREADY",
        format_lazy(
            _(
                "The rule {rule} is agreed with this partner for {first} to {last} already. "
                "Choose days outside."
            ),
            rule=agreement.rule_key,
            first=earlier.starts_on.isoformat(),
            last=(earlier.ends_on - timedelta(days=1)).isoformat(),
        ),
        field="startsOn",
    )


def declare_income(
    *,
    actor: Actor,
    agreement_id: UUID,
    starts_on: date,
    ends_on: date,
    income_fen: int | None = None,
    income_yuan: str | Decimal | None = None,
    sessions: int | None = None,
    sample: bool = False,
) -> Contribution:
    """Take what a partner declares for [starts_on, ends_on), and work out what it owes (P4).

    Income once, in fen or in yuan, for a share; sessions for a fee per session. By the rules in
    force on each day, which are frozen with the result. Raises `Forbidden`, `NotFound`, `Refused`
    PERIOD_INVALID, DECLARED_OUTSIDE_TERM, DECLARED_TOO_EARLY, DECLARED_TWICE, DECLARED_NEGATIVE,
    INCOME_MISSING, INCOME_TWICE, SESSIONS_MISSING, BASE_DIFFERS, AMOUNT_…, and as `terms_of` does.
    """
    actor.require_somewhere(Permission.PARTNERS_DECLARE)
    income = _income(income_fen, income_yuan)
    with upheld(declaration_days_once=lambda: _declared_twice(agreement_id, starts_on, ends_on)):
        agreement, community_id, book = _locked_agreement(actor, agreement_id)
        _check_period(agreement, starts_on, ends_on)
        terms = terms_of(agreement, starts_on, ends_on, community_id, book)
        _check_declared(income, sessions, terms)
        declaration = Declaration(
            agreement=agreement,
            starts_on=starts_on,
            ends_on=ends_on,
            income_fen=income or 0,
            sessions=sessions or 0,
            declared_at=timezone.now(),
            sample=sample,
        )
        worked = work_out(
            terms.segments,
            Declared(
                starts_on,
                ends_on,
                income_fen=declaration.income_fen,
                sessions=declaration.sessions,
                base=terms.base,
            ),
        )
        _check_amount(worked)
        check_fields(declaration)
        contribution = Contribution(
            declaration=declaration,
            partner_id=agreement.partner_id,
            amount_fen=worked.amount_fen,
            lines=list(worked.lines),
            rules=terms.last,
        )
        told = entry(
            actor=actor,
            action="partners.income_declared",
            obj=declaration,
            before=None,
            after=snapshot(declaration)
            | {"contribution_id": contribution.pk, "amount_fen": contribution.amount_fen},
        )
        happened = event(
            actor=actor,
            type="income.declared",
            obj=declaration,
            community_id=community_id,
            data={
                "agreement": agreement.pk,
                "contribution": contribution.pk,
                "starts_on": starts_on,
                "ends_on": ends_on,
                "amount_fen": contribution.amount_fen,
            },
        )
        insert(declaration, contribution, told, happened)
    return contribution


def _locked_agreement(actor: Actor, agreement_id: UUID) -> tuple[Agreement, UUID, Rulebook]:
    """With its community and the rules as they stand once it is locked, in one round trip.

    Declarations of one agreement wait for each other: two that overlap, each waiting for the
    other's end to know whether it may stay, would be a deadlock.
    """
    reach = actor.communities(Permission.PARTNERS_DECLARE)
    within = None if reach is None else list(reach)
    locking = _LOCKED, [agreement_id, within]
    row, told = connection.fetch_together([locking, stamps.reading()])
    if row is None:
        raise NotFound(_("agreement"), field="agreementId")
    community_id, *texts = row
    values = [value_of(field, text) for field, text in zip(_FIELDS, texts, strict=True)]
    agreement = Agreement.from_db(connection.alias, _TERMS, values)
    return agreement, UUID(community_id), rulebook_at(told[0])


def _admitted(partner: Partner) -> Refused:
    return Refused(
        "PARTNER_ADMITTED",
        format_lazy(
            _("{community} has a partner of this name already. Add what tells them apart."),
            community=partner.community.name,
        ),
        field="name",
    )


def _rate(given: Decimal | str | None) -> Decimal | None:
    try:
        rate = None if given is None else Decimal(given)
    except InvalidOperation:
        rate = Decimal("NaN")
    if rate is not None and not (rate.is_finite() and 0 <= rate <= 1):
        raise Refused(
            "RATE_INVALID",
            _("A rate is a decimal fraction from 0 to 1 with at most six places: 0.03 is 3 %."),
            field="agreedRate",
        )
    return rate


def _check_order(starts_on: date, ends_on: date, *, code: str) -> None:
    if ends_on <= starts_on:
        raise Refused(
            code,
            _("It must end after it starts; the end is the first day not included."),
            field="endsOn",
        )


def _check_period(agreement: Agreement, starts_on: date, ends_on: date) -> None:
    _check_order(starts_on, ends_on, code="PERIOD_INVALID")
    if starts_on < agreement.starts_on or ends_on > agreement.ends_on:
        raise Refused(
            "DECLARED_OUTSIDE_TERM",
            format_lazy(
                _(
                    "The agreement runs from {first} until {end} (not included). Declare days in it."
                ),
                first=agreement.starts_on.isoformat(),
                end=agreement.ends_on.isoformat(),
            ),
            field="startsOn" if starts_on < agreement.starts_on else "endsOn",
            starts_on=agreement.starts_on.isoformat(),
            ends_on=agreement.ends_on.isoformat(),
        )
    today = timezone.localdate()
    if ends_on > today:
        raise Refused(
            "DECLARED_TOO_EARLY",
            format_lazy(
                _("The period is not over. It may end on {today} (not included) at the latest."),
                today=today.isoformat(),
            ),
            field="endsOn",
        )


def _income(fen: int | None, in_yuan: str | Decimal | None) -> int | None:
    if fen is not None and in_yuan is not None:
        message = _("Give the income once: in fen, or in yuan.")
        raise Refused("INCOME_TWICE", message, field="incomeYuan")
    field = "incomeFen" if in_yuan is None else "incomeYuan"
    income = fen if in_yuan is None else fen_from_yuan(in_yuan, field=field)
    if income is not None and income < 0:
        raise _negative(field)
    if income is not None and income > MAX_FEN:
        raise _too_much(field)
    return income


def _check_declared(income: int | None, sessions: int | None, terms: Terms) -> None:
    if sessions is not None and sessions < 0:
        raise _negative("sessions")
    if income is None and terms.needs_income:
        message = _("A share of income is owed for these days. Declare it, 0 if there was none.")
        raise Refused("INCOME_MISSING", message, field="incomeFen")
    if sessions is None and terms.needs_sessions:
        message = _("A fee per session is owed for these days. Declare them, 0 if none was held.")
        raise Refused("SESSIONS_MISSING", message, field="sessions")


def _check_amount(worked: Worked) -> None:
    if worked.amount_fen > MAX_FEN:
        raise _too_much("sessions")


def _negative(field: str) -> Refused:
    message = _("What is declared is 0 or more; a loss is declared as 0.")
    return Refused("DECLARED_NEGATIVE", message, field=field)


def _too_much(field: str) -> Refused:
    return Refused(
        "AMOUNT_OUT_OF_RANGE",
        format_lazy(_("An amount is at most {maximum} yuan."), maximum=yuan(MAX_FEN)),
        field=field,
        maximum=MAX_FEN,
    )


def _declared_twice(agreement_id: UUID, starts_on: date, ends_on: date) -> Refused:
    """Names the earlier period, which the database found."""
    earlier = Declaration.objects.filter(
        agreement=agreement_id, starts_on__lt=ends_on, ends_on__gt=starts_on
    ).earliest("starts_on")
    return Refused(
        "DECLARED_TWICE",
        format_lazy(
            _("{first} until {end} (not included) has been declared already. Declare other days."),
            first=earlier.starts_on.isoformat(),
            end=earlier.ends_on.isoformat(),
        ),
        field="startsOn",
        starts_on=earlier.starts_on.isoformat(),
        ends_on=earlier.ends_on.isoformat(),
    )
