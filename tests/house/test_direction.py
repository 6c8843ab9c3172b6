"""The import direction (pyproject.toml, held by import-linter) has a place for everything."""

import re
import tomllib

from tests.house.sources import PACKAGES
from tests.support.databases import ROOT

# They put the house together, so they may import from every room.
COMPOSITION_ROOTS = {
    "linli.settings",
    "linli.urls",
    "linli.tenant_urls",
    "linli.wsgi",
    "linli.asgi",
}


def test_every_room_has_its_place_in_the_direction() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = project["tool"]["importlinter"]["contracts"]
    placed = {name for layer in contract["layers"] for name in re.split(r" *[|:] *", layer)}

    rooms = {"linli_api", "onboarding"}
    for package in ("linli", "tenants"):
        for path in (ROOT / PACKAGES[package]).iterdir():
            if (path / "__init__.py").exists() or (
                path.suffix == ".py" and path.stem != "__init__"
            ):
                rooms.add(f"{package}.{path.stem}")

    assert placed == rooms - COMPOSITION_ROOTS
    assert rooms >= COMPOSITION_ROOTS
