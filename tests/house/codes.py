"""The error codes that the product can answer with, read from its sources and its models."""

import ast
import re
from collections.abc import Iterator

from django.apps import apps

from tests.house.sources import Source, python

# Calls that take a code, and where.
CARRIERS = {"Refused": 0, "InvalidRequest": 0, "__init__": 0, "_entry": 1}
CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
# Codes that name the field they are about: NAME_INVALID, EMAIL_TAKEN.
ENDINGS = {"_INVALID": "<FIELD>_INVALID", "_TAKEN": "<FIELD>_TAKEN"}


class Unreadable(AssertionError):
    """A code that no program can find in the text, nor a person."""


def in_sources() -> set[str]:
    """Every code that is written in the product."""
    return {code for source in python() for code in codes_of(source)}


def of_constraints() -> set[str]:
    """The codes of named constraints with a sentence of their own: where the database upholds one
    that no action foresaw, the API answers with its code (`linli_api.errors`)."""
    return {
        rule.violation_error_code or rule.name.upper()
        for model in apps.get_models()
        for rule in model._meta.constraints
        if rule.violation_error_message != rule.default_violation_error_message
    }


def codes_of(source: Source) -> Iterator[str]:
    """The codes in one module; Unreadable where one is neither written out nor handed on."""
    refusals = {"Refused", "Forbidden", "NotFound", "InvalidRequest"}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
            if bases & refusals:
                yield from _calls(node, source, {"__init__"})
        elif isinstance(node, ast.Call):
            yield from _call(node, source, CARRIERS.keys() - {"__init__"})


def _calls(tree: ast.AST, source: Source, names: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node, source, names)


def _call(node: ast.Call, source: Source, names: set[str]) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in names and len(node.args) > CARRIERS[name]:
        yield from _read(node.args[CARRIERS[name]], source)
    for keyword in node.keywords:
        value = keyword.value
        if keyword.arg == "code" and isinstance(value, ast.Constant) and _is_code(value.value):
            yield value.value


def _read(node: ast.expr, source: Source) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(code)) if _is_code(code):
            yield code
        case ast.IfExp():
            yield from _read(node.body, source)
            yield from _read(node.orelse, source)
        case ast.JoinedStr(values=[_, ast.Constant(value=ending)]) if ending in ENDINGS:
            yield ENDINGS[ending]
        case ast.BoolOp(values=[ast.Attribute(attr="violation_error_code"), _]):
            pass  # a constraint's: `of_constraints`
        case ast.Name(id="code") | ast.Attribute(attr="code"):
            pass  # handed on: it is written where it comes from
        case _:
            raise Unreadable(
                f"{source.path}:{node.lineno}: write the code out: {ast.unparse(node)}"
            )


def _is_code(value: object) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None
