"""docs/getting-started.md, run: all of its commands in one shell, each with the answer that is shown,
then the document that makes a client of one's own."""

import json
import shutil
import subprocess
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from onboarding.demo.stage import Stage
from tests.demo.conftest import HOST, free_port
from tests.house.pages import Example, Page, examples
from tests.support.databases import ROOT

PAGE = Page(ROOT / "docs/getting-started.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="it runs what one types, and needs curl")
def test_the_page_is_true(port: int, tmp_path: Path) -> None:
    blocks = list(takewhile(lambda block: block.language != "graphql", PAGE.blocks()))
    shown = "\necho ---\n".join(b.text for b in blocks if b.language == "sh")
    script = shown.replace(":8000", f":{port}").replace("9000", str(free_port()))
    told = [block for block in blocks if block.language != "sh"]
    for _ in range(2):  # who tries it again finds what they did before, and the same answers
        done = subprocess.run(
            ["bash", "-c", f"set -eu\n{script}"],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        _token, *printed = done.stdout.split("---\n")
        assert len(printed) == len(told)
        for block, found in zip(told, printed, strict=True):
            assert _read(block.language, found) == _read(block.language, block.text), block.line
    [own] = examples(PAGE)
    stage = Stage(HOST, port)
    _make_a_client(stage, own)
    stage.close()


def _make_a_client(stage: Stage, own: Example) -> None:
    answer = stage.host(own.who, own.at).ask(own.document)
    made, told = answer["data"]["createClient"], own.answer["data"]["createClient"]
    assert (made["errors"], made["client"]["scopes"]) == ([], told["client"]["scopes"])
    assert made["secret"].startswith("linli_cs_")
    assert told["secret"].startswith("linli_cs_")


def _read(language: str, text: str) -> Any:
    """What an answer cost differs from run to run, and is shown once."""
    if language == "text":
        return text.lstrip("\ufeff").split()
    answer = json.loads(text)
    answer.pop("extensions", None)
    return answer
