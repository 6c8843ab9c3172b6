"""Lines as sentences, in the language of whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from linli.money import yuan

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BASES = {"takings": _("takings"), "net_income": _("net income"), "profit": _("profit")}


def explain(line: Mapping[str, Any]) -> StrOrPromise:
    """The line as a sentence, in the language of whoever reads it."""
    said = format_lazy(_sentence(line), **_told(line))
    held = _held(line)
    return said if held is None else format_lazy(_("{said} {held}"), said=said, held=held)


def _told(line: Mapping[str, Any]) -> dict[str, Any]:
    rate, fee = line["rate"], line["fee_fen"]
    first, after = (date.fromisoformat(line[name]) for name in ("starts_on", "ends_on"))
    amount = line.get("unlimited_fen", line["amount_fen"])
    return {
        "first": line["starts_on"],
        "last": (after - timedelta(1)).isoformat(),
        "days": (after - first).days,
        "base": BASES[line["base"]],
        "part": yuan(line["base_fen"]),
        "whole": yuan(line["declared_fen"]),
        "rate": None if rate is None else _percent(rate),
        "sessions": line["sessions"],
        "all_sessions": line["declared_sessions"],
        "fee": None if fee is None else yuan(fee),
        "amount": yuan(amount),
        "bands": _bands(line),
        "gives": _text(line.get("gives")),
        "valued": _text(line.get("valued")),
    }


def _sentence(line: Mapping[str, Any]) -> StrOrPromise:
    if line["rent_free"]:
        return _("{first} to {last}: rent-free, nothing is owed.")
    match line["type"]:
        case "per_session":
            if line["sessions"] == line["declared_sessions"]:
                return _("{first} to {last}: {sessions} sessions × {fee} yuan = {amount} yuan.")
            return _(
                "{first} to {last}: by days, {sessions} of {all_sessions} sessions; "
                "{sessions} × {fee} yuan = {amount} yuan."
            )
        case "fixed":
            return _(
                "{first} to {last}: {days} days of {fee} yuan a calendar year = {amount} yuan; "
                "the year's amount is spread over its days in whole fen."
            )
        case "in_kind":
            return _("{first} to {last}: in kind, {gives}; valued {valued}. No money is owed.")
        case "combined":
            return _("{first} to {last}: the parts come to {amount} yuan together.")
    if line["base_fen"] < 0:
        return _("{first} to {last}: {base} of {part} yuan is a loss, of which no share is taken.")
    return _tiered(line) if line["type"] == "tiered" else _share(line)


def _share(line: Mapping[str, Any]) -> StrOrPromise:
    if line["base_fen"] == line["declared_fen"]:
        return _(
            "{first} to {last}: {rate} of {base} of {part} yuan = {amount} yuan, "
            "rounded to the nearest fen, half a fen upwards."
        )
    return _(
        "{first} to {last}: by days, {part} of {whole} yuan; {rate} of that {base} = {amount} yuan, "
        "rounded to the nearest fen, half a fen upwards."
    )


def _tiered(line: Mapping[str, Any]) -> StrOrPromise:
    if line["base_fen"] == line["declared_fen"]:
        return _(
            "{first} to {last}: {base} of {whole} yuan by bands: {bands} = {amount} yuan, "
            "rounded to the nearest fen, half a fen upwards."
        )
    return _(
        "{first} to {last}: {base} of {whole} yuan in the whole period by bands: {bands}; of that "
        "the part of {part} yuan, by days = {amount} yuan, rounded to the nearest fen, half a fen "
        "upwards."
    )


def _bands(line: Mapping[str, Any]) -> StrOrPromise:
    """What each band takes its rate of, joined."""
    joined: StrOrPromise = ""
    for band in line.get("bands", ()):
        message = (
            _("{rate} of {part} yuan, from {start} yuan on")
            if line["counting"] == "marginal"
            else _("{rate} of all {part} yuan, as it reaches {start} yuan")
        )
        said = format_lazy(
            message,
            rate=_percent(band["rate"]),
            part=yuan(band["base_fen"]),
            start=yuan(band["from_fen"]),
        )
        joined = format_lazy(_("{some} + {more}"), some=joined, more=said) if joined else said
    return joined


def _held(line: Mapping[str, Any]) -> StrOrPromise | None:
    """What a minimum or a maximum has to do with it."""
    if "unlimited_fen" not in line:
        return None
    owed, least, most = line["unlimited_fen"], line["minimum_fen"], line["maximum_fen"]
    if least is not None and owed < least:
        message = _("At least {least} yuan are owed for these days of the year: {added} more.")
        return format_lazy(message, least=yuan(least), added=yuan(least - owed))
    if most is not None and owed > most:
        message = _("At most {most} yuan are owed for these days of the year: {taken} less.")
        return format_lazy(message, most=yuan(most), taken=yuan(owed - most))
    if least is not None and most is not None:
        message = _("It lies between the {least} and {most} yuan laid down for these days.")
        return format_lazy(message, least=yuan(least), most=yuan(most))
    if least is not None:
        message = _("It is no less than the {least} yuan laid down for these days.")
        return format_lazy(message, least=yuan(least))
    message = _("It is no more than the {most} yuan laid down for these days.")
    return format_lazy(message, most=yuan(most))


def _percent(rate: str) -> str:
    return f"{(Decimal(rate) * 100).normalize():f} %"


def _text(text: Mapping[str, Any] | None) -> StrOrPromise:
    """A text of the model's: in the reader's language, else in Chinese."""
    if not text:
        return ""
    english = (get_language() or "").startswith("en")
    return str((english and text.get("en")) or text["zh"])
