"""Rules between the states of a partner's life and the moves between them (P2)."""

from __future__ import annotations

from collections.abc import Iterator

from linli.errors import Refused
from linli.library.document.between import unknown
from linli.library.document.faults import own_fault
from linli.library.document.sections.life import PartnerLife

_STATES, _MOVES = "partners.life.states", "partners.life.moves"


def life_contradictions(life: PartnerLife) -> Iterator[Refused]:
    """States that no move reaches or leaves, moves that cannot be."""
    known = [state.key for state in life.states]
    faults = list(_moves(life, known))
    yield from faults
    if life.states and not life.moves:
        yield own_fault("no_move", _MOVES)
    elif not faults:
        yield from _ways(life, known)


def _moves(life: PartnerLife, known: list[str]) -> Iterator[Refused]:
    ended = [state.key for state in life.states if state.phase == "ended"]
    seen: dict[tuple[str, str], str] = {}
    for move in life.moves:
        field = f"{_MOVES}[{move.key}]"
        yield from unknown(f"{field}.from_state", [move.from_state], _STATES, known)
        yield from unknown(f"{field}.to_state", [move.to_state], _STATES, known)
        if move.from_state in ended:
            left = [key for key in known if key not in ended]
            place = f"{field}.from_state"
            yield own_fault("move_from_end", place, value=move.from_state, allowed=left)
        if move.from_state == move.to_state:
            yield own_fault("move_nowhere", f"{field}.to_state")
        other = seen.setdefault((move.from_state, move.to_state), move.key)
        if other != move.key:
            yield own_fault("same_again", field, other=f"{_MOVES}[{other}]")


def _ways(life: PartnerLife, known: list[str]) -> Iterator[Refused]:
    reached, todo = set(known[:1]), known[:1]
    while todo:
        state = todo.pop()
        onward = {move.to_state for move in life.moves if move.from_state == state} - reached
        reached |= onward
        todo += onward
    leaves = {move.from_state for move in life.moves}
    for one in life.states:
        if one.key not in reached:
            yield own_fault("unreached", f"{_STATES}[{one.key}]", value=one.key, start=known[0])
        elif one.key not in leaves and one.phase != "ended":
            yield own_fault("no_way_out", f"{_STATES}[{one.key}]", value=one.key)
