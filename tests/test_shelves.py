"""`platform/` and `graphql/` carry packages whose names other packages own."""

import subprocess
import sys

from tests.support.databases import ROOT


def test_the_shelves_do_not_hide_the_packages_they_are_named_after() -> None:
    code = "import platform, graphql; print(platform.system(), graphql.graphql_sync.__name__)"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "Linux graphql_sync\n"), done.stderr
