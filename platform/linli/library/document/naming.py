"""Members in sentences about faults: by name, and for whoever reads Chinese by the schema's titles."""

from __future__ import annotations

from django.utils.functional import lazy
from django.utils.translation import get_language

from linli.library import paths
from linli.library.places import inside, schema


def _place(path: str) -> str:
    return f"“{' › '.join(_titles(path))}”（{path}）" if _chinese() else path


def _member(path: str) -> str:
    return f"“{_titles(path)[-1]}”" if _chinese() else paths.steps(path)[-1]


# The whole path in Chinese with the path itself behind it, and the title of its last member.
place, member = lazy(_place, str), lazy(_member, str)


def _titles(path: str) -> list[str]:
    """Of each step; an item goes by its key."""
    nodes, found = [schema()], []
    for step in paths.steps(path):
        nodes = inside(nodes, step)
        titled = (node["x-zh"]["title"] for node in nodes if "x-zh" in node)
        found.append(next(titled, step.strip("[]")))
    return found


def _chinese() -> bool:
    return (get_language() or "").startswith("zh")
