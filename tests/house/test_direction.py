"""The import direction (pyproject.toml, checked by import-linter) knows every app."""

import re
import tomllib

from django.conf import settings

from tests.house.sources import PACKAGES
from tests.support.databases import ROOT


def test_every_app_has_its_place_in_the_direction() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    (contract,) = project["tool"]["importlinter"]["contracts"]
    placed = {name for layer in contract["layers"] for name in re.split(r" *[|:] *", layer)}

    apps = {app for app in settings.INSTALLED_APPS if app.split(".")[0] in PACKAGES}

    assert apps - placed == set()
