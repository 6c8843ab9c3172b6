"""SDL of what is promised and never served: the shapes of events, codes and headers."""

import json
from collections.abc import Iterable, Mapping


def written_type(name: str, description: str, fields: Iterable[str], keyword: str = "type") -> str:
    body = "\n".join(fields)
    return f"{json.dumps(description)} {keyword} {name} " + (f"{{ {body} }}" if body else "")


def written_field(name: str, form: str, description: str = "", deprecation: str = "") -> str:
    return f"{_told(description)} {name}: {form}{_goes(deprecation)}"


def written_enum(
    name: str,
    description: str,
    values: Mapping[str, str],
    deprecations: Mapping[str, str] | None = None,
) -> str:
    """values: of each its description; deprecations: of those that go."""
    going = deprecations or {}
    body = "\n".join(
        f"{_told(told)} {one}{_goes(going.get(one, ''))}" for one, told in values.items()
    )
    return f"{json.dumps(description)} enum {name} {{ {body} }}"


def _told(description: str) -> str:
    return json.dumps(description, ensure_ascii=False) if description else ""


def _goes(deprecation: str) -> str:
    return f" @deprecated(reason: {json.dumps(deprecation)})" if deprecation else ""
