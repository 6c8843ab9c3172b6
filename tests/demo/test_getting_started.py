"""docs/getting-started.md, run: all of its commands in one shell, each with the answer that is shown."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.house.pages import Page
from tests.support.databases import ROOT

PAGE = Page(ROOT / "docs/getting-started.md")


@pytest.mark.skipif(shutil.which("curl") is None, reason="it runs what one types, and needs curl")
def test_the_page_is_true(port: int, tmp_path: Path) -> None:
    blocks = list(PAGE.blocks("sh", "json", "text"))
    script = "set -eu\n" + "\necho ---\n".join(b.text for b in blocks if b.language == "sh")
    done = subprocess.run(
        ["bash", "-c", script.replace(":8000", f":{port}")],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    _login, *printed = done.stdout.split("---\n")
    told = [block for block in blocks if block.language != "sh"]
    assert len(printed) == len(told)
    for block, found in zip(told, printed, strict=True):
        assert _read(block.language, found) == _read(block.language, block.text), block.line


def _read(language: str, text: str) -> Any:
    return json.loads(text) if language == "json" else text.lstrip("\ufeff").split()
