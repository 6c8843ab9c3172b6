"""A PostgreSQL of a test's own, away from the checkout's: to be started, stopped and killed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from linli import embedded


@contextmanager
def own_state() -> Iterator[Path]:
    """A short path that PostgreSQL's system user can enter, which pytest's own folders are not.

    Inside, this process and those it starts find no server but the one they start there.
    """
    folder = Path(tempfile.mkdtemp(prefix="linli-state-", dir="/tmp"))
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LINLI_STATE", str(folder))
        for name in ("DATABASE_URL", "OWNER_DATABASE_URL", "LINLI_DATABASE", "LINLI_LOGIN"):
            patch.delenv(name, raising=False)
        try:
            yield folder
        finally:
            embedded.stop()
            shutil.rmtree(folder)


def pid_of(server: embedded.Server) -> int:
    """The server's main process, which all others are children of."""
    return int((server.data / "postmaster.pid").read_text().split()[0])
