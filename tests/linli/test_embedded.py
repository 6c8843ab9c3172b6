"""The embedded PostgreSQL: it starts once, survives what kills it, and gives the app no more than
rows. Every test has a server of its own, away from the checkout's."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg import errors

from linli import database, embedded
from tests.support.servers import own_state, pid_of

START = [sys.executable, "-m", "linli.embedded", "start"]


@pytest.fixture
def state():
    with own_state() as folder:
        yield folder


@pytest.fixture(scope="class")
def server():
    """One server with its roles and database, for the tests that only ask it."""
    with own_state():
        server = embedded.ensure_running()
        embedded.ensure_roles_and_database(server)
        yield server


def started_at(server):
    with server.connect(server.superuser, "postgres") as connection:
        return connection.execute("SELECT pg_postmaster_start_time()").fetchone()[0]


def start_many(count):
    starters = [
        subprocess.Popen(START, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for _ in range(count)
    ]
    return [(starter.communicate(timeout=60)[0], starter.returncode) for starter in starters]


def test_the_server_outlives_the_process_that_started_it(state):
    [(output, code)] = start_many(1)
    assert code == 0, output
    server = embedded.locate()
    assert os.getsid(pid_of(server)) == pid_of(server)
    assert embedded.is_ready(server)


def test_stop_stops_and_may_be_repeated(state):
    server = embedded.ensure_running()
    embedded.stop()
    assert not embedded.is_ready(server)
    assert not (server.data / "postmaster.pid").exists()
    embedded.stop()


def test_four_starters_recover_one_server_from_a_kill_with_orphans_left(state):
    server = embedded.ensure_running()
    embedded.ensure_roles_and_database(server)
    busy = server.connect("linli_owner")
    busy.execute("CREATE TABLE kept (n int)")
    busy.execute("INSERT INTO kept VALUES (1)")
    # A child that computes does not notice its parent's death for about a second.
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 8000000)")
    old = pid_of(server)
    os.kill(old, signal.SIGKILL)

    results = start_many(4)

    assert [code for _, code in results] == [0, 0, 0, 0], results
    assert len({output for output, _ in results}) == 1
    assert pid_of(server) != old
    with server.connect("linli_owner") as connection:
        assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
    busy.close()


def test_four_first_starters_make_one_server(state):
    results = start_many(4)
    assert [code for _, code in results] == [0, 0, 0, 0], results
    assert len({output for output, _ in results}) == 1


@pytest.mark.parametrize("foreign", ["live", "dead"])
def test_a_stale_pid_does_not_prevent_a_start(state, foreign):
    server = embedded.ensure_running()
    lock_file = (server.data / "postmaster.pid").read_text()
    owner = (server.data / "PG_VERSION").stat()
    embedded.stop()
    as_its_user = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    other = subprocess.Popen(["sleep", "60"], **as_its_user)
    try:
        if foreign == "dead":
            other.kill()
            other.wait()
        stale = server.data / "postmaster.pid"
        stale.write_text("\n".join([str(other.pid), *lock_file.split("\n")[1:]]))
        os.chown(stale, owner.st_uid, owner.st_gid)

        embedded.stop()  # must not signal a stranger
        assert other.poll() is None or foreign == "dead"
        embedded.ensure_running()

        assert pid_of(server) != other.pid
        assert embedded.is_ready(server)
    finally:
        other.kill()
        other.wait()


def start_until(file, *, alone=False):
    """A starter that has just come as far as making `file`; `alone` in a process group."""
    starter = subprocess.Popen(START, start_new_session=alone, stdout=subprocess.DEVNULL)
    while not file.exists():
        assert starter.poll() is None, f"the start ended before {file} was seen"
        time.sleep(0.001)
    return starter


def test_a_killed_initdb_leaves_nothing_half_made(state):
    half_made = state / "postgres" / "data.new"
    starter = start_until(half_made / "PG_VERSION", alone=True)
    os.killpg(starter.pid, signal.SIGKILL)
    starter.wait()
    assert not (state / "postgres" / "data").exists()

    server = embedded.ensure_running()

    assert embedded.is_ready(server)
    assert not half_made.exists()


def test_an_initdb_whose_starter_was_killed_is_waited_for(state):
    half_made = state / "postgres" / "data.new"
    starter = start_until(half_made / "PG_VERSION")
    starter.kill()
    starter.wait()

    server = embedded.ensure_running()

    assert embedded.is_ready(server)
    assert not half_made.exists()


def test_a_long_state_path_puts_the_socket_under_tmp(state, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("LINLI_STATE", str(state / ("x" * 90)))
        server = embedded.ensure_running()
        try:
            assert server.socket_dir.parent == Path("/tmp")
            assert server.socket_dir.stat().st_mode & 0o777 == 0o700
            assert embedded.is_ready(server)
        finally:
            embedded.stop()
            server.socket_dir.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_root_is_told_which_folder_the_system_user_cannot_enter(state, monkeypatch):
    closed = state / "closed"
    closed.mkdir(mode=0o700)
    with monkeypatch.context() as patch:
        patch.setenv("LINLI_STATE", str(closed / "state"))
        with pytest.raises(embedded.EmbeddedError, match=f"cannot enter {closed}:"):
            embedded.locate()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives folders away")
def test_a_socket_folder_of_somebody_else_is_refused(state, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("LINLI_STATE", str(state / ("y" * 90)))
        socket_dir = embedded.locate().socket_dir
        os.chown(socket_dir, 12345, 12345)
        try:
            with pytest.raises(embedded.EmbeddedError, match=f"^{socket_dir} belongs to somebody"):
                embedded.locate()
        finally:
            socket_dir.rmdir()


class TestRunning:
    def test_a_second_start_attaches_to_the_same_server(self, server):
        began = started_at(server)
        assert embedded.ensure_running() == server
        assert started_at(server) == began

    def test_the_settings_hold(self, server):
        with server.connect(server.superuser, "postgres") as connection:
            shown = {
                name: connection.execute(f"SHOW {name}").fetchone()[0]
                for name in (*embedded.SETTINGS, "unix_socket_permissions", "server_encoding")
            }
        assert shown == {
            **embedded.SETTINGS,
            "timezone": "Asia/Shanghai",
            "unix_socket_permissions": "0700",
            "server_encoding": "UTF8",
        }


class TestRights:
    def test_the_app_makes_nothing(self, server):
        with server.connect("linli_app") as connection:
            for statement in (
                "CREATE TABLE t (n int)",
                "CREATE TEMPORARY TABLE t (n int)",
                "CREATE SCHEMA s",
                "CREATE DATABASE d",
                "CREATE ROLE r",
                "SET ROLE linli_owner",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    connection.execute(statement)
            made = connection.execute(
                "SELECT count(*) FROM pg_class WHERE relowner = 'linli_app'::regrole"
            )
            assert made.fetchone() == (0,)

    def test_the_app_works_on_rows_of_what_the_owner_makes(self, server):
        with server.connect("linli_owner") as owner:
            owner.execute("CREATE TABLE t (id bigserial PRIMARY KEY, name text)")
        with server.connect("linli_app") as app:
            app.execute("INSERT INTO t (name) VALUES ('社区'), ('基金')")
            app.execute("UPDATE t SET name = '邻里' WHERE id = 1")
            app.execute("DELETE FROM t WHERE id = 2")
            assert app.execute("SELECT id, name FROM t").fetchall() == [(1, "邻里")]
            for statement in ("TRUNCATE t", "ALTER TABLE t ADD c int"):
                with pytest.raises(errors.InsufficientPrivilege):
                    app.execute(statement)

    def test_trigrams_see_chinese(self, server):
        with server.connect("linli_app") as connection:
            found = connection.execute("SELECT similarity('社区基金', '社区基金会') > 0.5")
            assert found.fetchone() == (True,)

    def test_a_copy_of_a_template_is_opened_by_grant_connect(self, server):
        with server.connect("linli_owner", "postgres") as owner:
            owner.execute("CREATE DATABASE copy TEMPLATE linli")
        database.grant_connect("copy")
        with database.connect("app", "copy") as app:
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute("CREATE TEMPORARY TABLE t (n int)")
            assert app.execute("SELECT current_user, current_database()").fetchone() == (
                "linli_app",
                "copy",
            )

    def test_what_was_changed_by_hand_stays_until_the_statements_change(self, server):
        with server.connect(server.superuser) as connection:
            connection.execute("COMMENT ON DATABASE linli IS 'linli of an older version'")
            connection.execute("REVOKE CONNECT ON DATABASE linli FROM linli_app")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            server.connect("linli_app")
        embedded.ensure_roles_and_database(server)
        with server.connect("linli_app") as app:
            assert app.execute("SELECT current_user").fetchone() == ("linli_app",)


class TestSettings:
    URL = "postgresql://li%40n:p%2Fw@db.example:6432/linli_live?sslmode=require"

    def test_without_a_url_the_embedded_server_is_used(self, state, monkeypatch):
        app = database.database_settings()["default"]
        monkeypatch.setenv("LINLI_LOGIN", "owner")
        monkeypatch.setenv("LINLI_DATABASE", "another")
        owner = database.database_settings()["default"]
        host = str(state / "postgres" / "socket")
        assert [(s["HOST"], s["NAME"], s["USER"]) for s in (app, owner)] == [
            (host, "linli", "linli_app"),
            (host, "another", "linli_owner"),
        ]

    def test_a_url_is_taken_apart_and_starts_nothing(self, state, monkeypatch):
        monkeypatch.setenv("DATABASE_URL", self.URL)
        assert database.database_settings() == {
            "default": {
                "ENGINE": "linli.tenancy.postgresql",
                "HOST": "db.example",
                "PORT": "6432",
                "NAME": "linli_live",
                "USER": "li@n",
                "PASSWORD": "p/w",
                "CONN_MAX_AGE": 600,
                "CONN_HEALTH_CHECKS": True,
                "OPTIONS": {"sslmode": "require"},
            }
        }
        assert list(state.iterdir()) == []

    @pytest.mark.parametrize(
        ("environment", "sentence"),
        [
            ({"DATABASE_URL": URL, "LINLI_LOGIN": "owner"}, "set OWNER_DATABASE_URL too"),
            ({"OWNER_DATABASE_URL": URL}, "set DATABASE_URL too"),
            ({"LINLI_LOGIN": "root"}, "LINLI_LOGIN is 'root'; it must be app or owner"),
            ({"DATABASE_URL": "mysql://a:secret@h/n"}, "its scheme, user or database name"),
            ({"DATABASE_URL": "postgres://a:secret@h:x/n"}, "its host or port cannot be read"),
        ],
    )
    def test_what_cannot_work_is_said_in_a_sentence(
        self, state, monkeypatch, environment, sentence
    ):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(ImproperlyConfigured, match=sentence) as refused:
            database.database_settings()
        assert "secret" not in str(refused.value)
        assert list(state.iterdir()) == []
