"""docs/models.md, run: each block of GraphQL with its answer, the file it fetches, and its excerpts of
the real documents."""

import re
from pathlib import Path
from typing import Any

import yaml

from onboarding.demo import report
from onboarding.demo.stage import Stage, load
from tests.demo.conftest import HOST
from tests.demo.test_quickstart import differences
from tests.house.pages import Page
from tests.support.databases import ROOT, Database

PAGE = Page(ROOT / "docs/models.md")
EXCERPTS = ["chengnan.yaml", "pingcheng.yaml", "datong.yaml"]  # in the order of the page


def test_the_page_is_true(port: int, demo: Database, tmp_path: Path) -> None:
    stage = Stage(HOST, port)
    found = list(differences(PAGE, stage))
    assert not found, "\n".join(found)
    _verify(stage, demo, tmp_path / "chengnan-1.json")
    # Whoever has followed the page still has a demo that `make demo-check` finds in order.
    assert report.faults(stage) == []
    stage.close()


def _verify(stage: Stage, demo: Database, file: Path) -> None:
    """The page's command, with a file that was fetched where the page says."""
    host = stage.host("pingcheng")
    told = host.graphql(
        '{ publishedVersions(key: "chengnan", orderBy: OLDEST) { nodes { packageUrl } }'
        " signingKey { publicKey } }"
    )
    url = told["publishedVersions"]["nodes"][0]["packageUrl"]
    file.write_bytes(host.get(url.removeprefix(f"http://{HOST}:{stage.port}")).content)
    [command] = [block.text.split() for block in PAGE.blocks("sh")]
    filled = {"FILE": str(file), "KEY": told["signingKey"]["publicKey"]}
    assert command[0] == ".venv/bin/python"
    done = demo.run(*(filled.get(word, word) for word in command[1:]))
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_excerpts_stand_in_the_real_documents() -> None:
    excerpts = [yaml.safe_load(block.text) for block in PAGE.blocks("yaml")]
    assert len(excerpts) == len(EXCERPTS)
    for name, excerpt in zip(EXCERPTS, excerpts, strict=True):
        real = load(name)
        assert _stands_in(excerpt, real.get("document", real)), name
    assert re.findall(r"onboarding/demo/data/([\w.]+)", PAGE.prose) == EXCERPTS


def _stands_in(part: Any, whole: Any) -> bool:
    """Of an object some members may be shown; of a list all of it is."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and _stands_in(one, whole[name]) for name, one in part.items())
    return bool(part == whole)
