"""What `manage.py check --deploy` says of an installation as docs/running.md has it."""

import os
import subprocess
import sys

import pytest

from tests.support.databases import ROOT

PRODUCTION = {
    "LINLI_ENV": "production",
    "LINLI_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOP",
    "LINLI_PLATFORM_URL": "https://linli.example.org",
}


@pytest.mark.parametrize(
    ("proxies", "told"), [("0", ["W001", "W003", "W004"]), ("1", ["W001", "W004"])]
)
def test_nothing_is_told_but_what_is_to_be_done(proxies, told):
    """No server for mails (W001) and no key to sign with (W004) here; no word of flows that nobody is offered."""
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=ROOT, env=os.environ | PRODUCTION | {"LINLI_TRUSTED_PROXIES": proxies},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("?: ")]
    assert [line[4:].partition(")")[0] for line in warnings] == [f"linli.{one}" for one in told]
