"""Rows as lines: JSON Lines, and CSV as a spreadsheet opens it."""

import csv
import json
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

from linli_api.exports.models import Export

MARK = "\ufeff"  # without it Excel reads UTF-8 as something else
# What a spreadsheet takes for a formula, in full width too; a plain number is none.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)

CONTENT_TYPES = {
    Export.Format.JSONL: "application/x-ndjson; charset=utf-8",
    Export.Format.CSV: "text/csv; charset=utf-8",
}


def head(kind: str, columns: Sequence[tuple[str, ...]]) -> bytes:
    """What the file begins with."""
    if kind != Export.Format.CSV:
        return b""
    return (MARK + _line(".".join(path) for path in columns)).encode()


def line(kind: str, columns: Sequence[tuple[str, ...]], node: Mapping[str, Any]) -> bytes:
    """One row, with the end of its line."""
    if kind != Export.Format.CSV:
        return json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    return _line(_cell(_at(node, path)) for path in columns).encode()


def _line(cells: Any) -> str:
    out = StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _at(node: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | list | Mapping):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    text = str(value)
    harmless = not isinstance(value, str) or _NUMBER.fullmatch(text) or not _FORMULA.match(text)
    return text if harmless else f"'{text}"
