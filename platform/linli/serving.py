"""The processes that serve on one machine: gunicorn, a worker for each queue and the deliverer of
webhooks, under one parent.

`with serving(host, port):` starts them and waits until they answer; they end with the block, or with
their parent, and what dies meanwhile is started again. `python -m linli.serving stop` ends them from another terminal. One set a checkout:
the parent holds a lock beside the embedded PostgreSQL.
"""

import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from linli import embedded

START_SECONDS = 60
STOP_SECONDS = 30
_PR_SET_PDEATHSIG = 1


class ServingError(RuntimeError):
    """The processes could not be started; the message says what to do."""


@contextmanager
def serving(host: str, port: int, **environment: str) -> Iterator[None]:
    """Serve the platform ``host`` on 127.0.0.1, and ::1 where there is one, until the block ends.
    environment: variables of its processes, beside those of this one."""
    addresses = [address for address in ("127.0.0.1", "::1") if _free(address, port)]
    if "127.0.0.1" not in addresses:
        raise ServingError(f"Port {port} is taken. Choose another: make demo PORT=8001.")
    bind = ",".join(f"[{a}]:{port}" if ":" in a else f"{a}:{port}" for a in addresses)
    commands = {
        "web": (["-m", "gunicorn"], {"LINLI_LOGIN": "app", "LINLI_BIND": bind}),
        "owner worker": (["manage.py", *_worker("owner")], {"LINLI_LOGIN": "owner"}),
        "app worker": (["manage.py", *_worker("app")], {"LINLI_LOGIN": "app"}),
        "deliverer": (["manage.py", "deliver_webhooks"], {"LINLI_LOGIN": "app"}),
    }
    shared = {"LINLI_PLATFORM_URL": f"http://{host}:{port}", **environment}
    children = {name: _start(command, shared | own) for name, (command, own) in commands.items()}
    over = threading.Event()
    try:
        _wait_until_served(port, children)
        watcher = threading.Thread(
            target=_keep_alive, args=(commands, shared, children, over), daemon=True
        )
        watcher.start()
        yield
        over.set()
        watcher.join()
    finally:
        over.set()
        for child in children.values():
            _end(child)


def wait() -> None:
    """Until somebody interrupts: SIGINT, SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    while not stopped.wait(1):
        pass


def _keep_alive(
    commands: dict[str, tuple[Sequence[str], dict[str, str]]],
    shared: dict[str, str],
    children: dict[str, subprocess.Popen],
    over: threading.Event,
) -> None:
    """Start anew what has died: a process of ours, or the embedded PostgreSQL under them."""
    while not over.wait(1):
        if not os.environ.get("DATABASE_URL"):
            try:
                embedded.ensure_running()
            except embedded.EmbeddedError as error:  # said, and tried again a second later
                sys.stderr.write(f"{error}\n")
        for name, (command, own) in commands.items():
            if children[name].poll() is not None and not over.is_set():
                sys.stderr.write(f"the {name} process ended; starting it again\n")
                children[name] = _start(command, shared | own)


@contextmanager
def only_one() -> Iterator[None]:
    """Hold the checkout's lock, with this process's id in it for `stop`."""
    with _lock_file().open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServingError(
                "This checkout is being served already; make stop ends it."
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def stop() -> bool:
    """End what this checkout serves; whether there was anything."""
    with _lock_file().open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            os.kill(int(file.read()), signal.SIGTERM)
        else:
            return False
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.1)
            else:
                return True
        raise ServingError(f"What is served did not end within {STOP_SECONDS} seconds.")


def _lock_file() -> Path:
    home = embedded.locate().home
    home.mkdir(parents=True, exist_ok=True)
    return home / "serving.pid"


def _worker(queue: str) -> Sequence[str]:
    return ["procrastinate", "worker", "--queues", queue, "--name", queue]


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *command],
        cwd=embedded.checkout(),
        env=os.environ | environment,
        stdout=sys.stderr,  # where the mails of an installation without a server are read
        # Ctrl-C reaches the parent, which ends its children in their turn.
        start_new_session=True,
        preexec_fn=_die_with_parent,
    )


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    """A parent killed outright leaves nobody behind (Linux; elsewhere `stop` is what there is)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_served(port: int, children: dict[str, subprocess.Popen]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        for name, child in children.items():
            if child.poll() is not None:
                raise ServingError(f"The {name} process ended at once; its words are above.")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError as error:
            raise ServingError(f"The platform's first page answers {error.code}.") from error
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise ServingError(f"Nothing answered on port {port} within {START_SECONDS} seconds.")


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python -m linli.serving stop")
    sys.stdout.write("stopped\n" if stop() else "nothing was being served\n")
