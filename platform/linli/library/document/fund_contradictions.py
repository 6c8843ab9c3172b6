"""Rules between the fields about the fund's money and its committee (F1, F3, F4)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from linli.errors import Refused
from linli.library.document.between import above, unknown
from linli.library.document.faults import own_fault
from linli.library.document.sections.committee import Committee
from linli.library.document.sections.fund import FundRules
from linli.library.document.sections.spending import Cap

_PERIODS = ("application", "month", "quarter", "year")  # from the shortest to the longest


def fund_contradictions(fund: FundRules) -> Iterator[Refused]:
    """Keys that stand nowhere, caps that contradict each other, a quorum nobody can meet."""
    yield from _quorum(fund.committee)
    uses = [use.key for use in fund.uses]
    shares = [share.key for share in fund.waterfall]
    earmarks = [earmark.key for earmark in fund.earmarks]
    yield from unknown("fund.rest_to", [fund.rest_to], "fund.waterfall", shares)
    for share in fund.waterfall:
        yield from unknown(f"fund.waterfall[{share.key}].uses", share.uses, "fund.uses", uses)
    for earmark in fund.earmarks:
        yield from unknown(f"fund.earmarks[{earmark.key}].uses", earmark.uses, "fund.uses", uses)
    for cap in fund.caps:
        yield from unknown(f"fund.caps[{cap.key}].use", [cap.use], "fund.uses", uses)
    for reserve in fund.reserves:
        field = f"fund.reserves[{reserve.key}].share"
        yield from unknown(field, [reserve.share], "fund.waterfall", shares)
    for source in fund.sources:
        field = f"fund.sources[{source.key}].earmark"
        yield from unknown(field, [source.earmark], "fund.earmarks", earmarks)
    yield from _caps(fund.caps)
    yield from _reserves(fund)
    yield from _paid_by_somebody(fund)


def _quorum(committee: Committee) -> Iterator[Refused]:
    field, quorum, members = "fund.committee.quorum", committee.quorum, committee.min_members
    yield from above(field, quorum, "fund.committee.min_members", members)
    needed = {
        "more_than_half": members // 2 + 1,
        "two_thirds": -(-members * 2 // 3),
        "three_quarters": -(-members * 3 // 4),
        "all": members,
    }[committee.majority]
    if quorum is not None and committee.counted == "members" and quorum < needed:
        yield own_fault("quorum_carries_nothing", field, value=quorum, least=needed)


def _caps(caps: tuple[Cap, ...]) -> Iterator[Refused]:
    """A cap that another never lets anybody reach, or two for the same."""
    for use in dict.fromkeys(cap.use for cap in caps):
        alike = sorted(
            (cap for cap in caps if cap.use == use), key=lambda cap: _PERIODS.index(cap.per)
        )
        for shorter, longer in pairwise(alike):
            field, other = f"fund.caps[{shorter.key}]", f"fund.caps[{longer.key}]"
            if shorter.per == longer.per:
                yield own_fault("same_again", other, other=field)
            else:
                yield from above(
                    f"{field}.most_fen", shorter.most_fen, f"{other}.most_fen", longer.most_fen
                )
    whole = {cap.per: cap for cap in reversed(caps) if cap.use is None}
    for cap in caps:
        if cap.use is not None and (over := whole.get(cap.per)):
            field, other = f"fund.caps[{cap.key}].most_fen", f"fund.caps[{over.key}].most_fen"
            yield from above(field, cap.most_fen, other, over.most_fen)


def _reserves(fund: FundRules) -> Iterator[Refused]:
    seen: dict[str, str] = {}
    for reserve in fund.reserves:
        other = seen.setdefault(reserve.share, reserve.key)
        if other != reserve.key:
            field = f"fund.reserves[{reserve.key}]"
            yield own_fault("same_again", field, other=f"fund.reserves[{other}]")


def _paid_by_somebody(fund: FundRules) -> Iterator[Refused]:
    """Each use can be paid for by a share, or by an earmark."""
    if not all(share.uses for share in fund.waterfall):
        return
    paid = {use for share in fund.waterfall for use in share.uses}
    paid |= {use for earmark in fund.earmarks for use in earmark.uses}
    for use in fund.uses:
        if use.key not in paid:
            shares = [share.key for share in fund.waterfall]
            yield own_fault("unpaid_use", f"fund.uses[{use.key}]", value=use.key, allowed=shares)
