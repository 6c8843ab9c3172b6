"""E-mail's settings come from the environment, and what will not do is told before an e-mail is due."""

import os
import ssl
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage, get_connection

from linli.mail import mail_settings
from tests.support.certificates import certificate
from tests.support.databases import ROOT
from tests.support.mailservers import mail_server

HOST = {"LINLI_MAIL_HOST": "mail.example.cn"}
WITH_USER = {"LINLI_MAIL_USER": "linli", "LINLI_MAIL_PASSWORD": "s3cret-word"}
KEPT = {name: value for name, value in os.environ.items() if not name.startswith("LINLI_MAIL_")}


def told(environment):
    return mail_settings(environment, sender="linli@linli.example.cn")


class TestSettings:
    def test_without_a_server_they_are_printed(self):
        made = told({})
        assert made["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend"
        assert made["DEFAULT_FROM_EMAIL"] == "linli@linli.example.cn"

    def test_a_host_is_enough(self):
        assert told(HOST) == {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "mail.example.cn",
            "EMAIL_PORT": 25,
            "EMAIL_HOST_USER": "",
            "EMAIL_HOST_PASSWORD": "",
            "EMAIL_USE_TLS": False,
            "EMAIL_USE_SSL": False,
            "EMAIL_TIMEOUT": 30,
            "DEFAULT_FROM_EMAIL": "linli@linli.example.cn",
        }

    @pytest.mark.parametrize(
        ("security", "port", "tls", "from_the_start"),
        [("none", 25, False, False), ("starttls", 587, True, False), ("ssl", 465, False, True)],
    )
    def test_security_brings_its_usual_port(self, security, port, tls, from_the_start):
        made = told(HOST | {"LINLI_MAIL_SECURITY": security})
        found = made["EMAIL_PORT"], made["EMAIL_USE_TLS"], made["EMAIL_USE_SSL"]
        assert found == (port, tls, from_the_start)

    def test_everything(self):
        given = {"PORT": "2525", "TIMEOUT": "5", "FROM": "邻里 <no-reply@example.cn>"}
        made = told(HOST | WITH_USER | {f"LINLI_MAIL_{name}": v for name, v in given.items()})
        assert (made["EMAIL_PORT"], made["EMAIL_TIMEOUT"]) == (2525, 5)
        assert (made["EMAIL_HOST_USER"], made["EMAIL_HOST_PASSWORD"]) == ("linli", "s3cret-word")
        assert made["DEFAULT_FROM_EMAIL"] == "邻里 <no-reply@example.cn>"

    @pytest.mark.parametrize(
        "given",
        [
            {"PORT": "587"},
            {"USER": "x", "PASSWORD": "y"},
            {"HOST": "m", "USER": "x"},
            {"HOST": "m", "PASSWORD": "y"},
            {"HOST": "m", "SECURITY": "tls"},
            {"HOST": "m", "PORT": "smtp"},
            {"HOST": "m", "PORT": "0"},
            {"HOST": "m", "PORT": "65536"},
            {"HOST": "m", "TIMEOUT": "-1"},
            {"HOST": "m", "TIMEOUT": "²"},
            {"HOST": "m", "FROM": "linli"},
            {"HOST": "m", "FROM": "a@b.cn\nBcc: c@d.cn"},
        ],
        ids=str,
    )
    def test_what_could_send_nothing_is_refused(self, given):
        with pytest.raises(ImproperlyConfigured, match="LINLI_MAIL_") as refused:
            told({f"LINLI_MAIL_{name}": value for name, value in given.items()})
        assert "'y'" not in str(refused.value)  # a password is not shown

    def test_no_process_starts_with_it(self):
        done = run("-c", "import linli.settings", LINLI_MAIL_HOST="m", LINLI_MAIL_USER="x")
        assert done.returncode != 0
        assert "Set both LINLI_MAIL_USER and LINLI_MAIL_PASSWORD, or neither." in done.stderr


def run(*command: str, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT, env=KEPT | environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def check(server, **environment: str) -> subprocess.CompletedProcess:
    where = {"LINLI_MAIL_HOST": "127.0.0.1", "LINLI_MAIL_PORT": str(server.port)}
    return run("manage.py", "check", "--deploy", **where, **environment)


@pytest.fixture
def trusted(tmp_path, monkeypatch):
    """A certificate of 127.0.0.1, and who trusts it."""
    path = certificate(tmp_path, "127.0.0.1")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(path)
    return tls, {"SSL_CERT_FILE": str(path)}


class TestCheckDeploy:
    def test_it_says_that_nothing_is_sent(self):
        done = run("manage.py", "check", "--deploy")
        assert done.returncode == 0
        assert "linli.W001" in done.stderr

    @pytest.mark.parametrize("security", ["starttls", "ssl"])
    def test_a_server_that_takes_ours(self, trusted, security):
        tls, trusting = trusted
        with mail_server(tls, security=security, user="linli:s3cret-word") as server:
            done = check(server, LINLI_MAIL_SECURITY=security, **WITH_USER, **trusting)
            told = done.stderr.replace("(linli.W004)", "")  # of packages, not of mail
            assert (done.returncode, "(linli." in told) == (0, False), done.stderr
            assert server.said[-2:] == ["mail FROM:<linli@linli.localhost>", "quit"]
            assert server.mails == []

    def test_a_password_in_the_clear_is_warned_of(self):
        with mail_server(user="linli:s3cret-word") as server:
            done = check(server, **WITH_USER)
        assert done.returncode == 0
        assert "linli.W002" in done.stderr

    def failed(self, server, because, **environment):
        done = check(server, **environment)
        assert done.returncode == 1
        assert f"linli.E001) The SMTP server at 127.0.0.1:{server.port}" in done.stderr
        assert because in done.stderr
        assert "s3cret-word" not in done.stderr

    def test_a_wrong_password(self):
        with mail_server(user="linli:another") as server:
            self.failed(server, "535", **WITH_USER)

    def test_a_server_that_wants_a_user(self):
        with mail_server(user="linli:s3cret-word") as server:
            self.failed(server, "530")

    def test_a_sender_that_is_not_ours(self):
        with mail_server(senders={"linli@example.cn"}) as server:
            self.failed(server, "not your address")
            done = check(server, LINLI_MAIL_FROM="邻里 <linli@example.cn>")
            assert done.returncode == 0

    def test_a_server_without_tls(self):
        with mail_server() as server:
            self.failed(server, "STARTTLS", LINLI_MAIL_SECURITY="starttls")

    def test_a_certificate_that_nobody_vouches_for(self, trusted):
        with mail_server(trusted[0], security="starttls") as server:
            self.failed(server, "CERTIFICATE_VERIFY_FAILED", LINLI_MAIL_SECURITY="starttls")

    def test_nobody_there(self):
        with mail_server() as server:
            pass
        self.failed(server, "ConnectionRefusedError")

    def test_a_server_that_says_nothing(self, trusted):
        """Plain, where TLS from the first byte is meant: each waits for the other."""
        with mail_server(trusted[0], security="ssl") as server:
            self.failed(server, "timed out", LINLI_MAIL_TIMEOUT="1")


def test_an_e_mail_goes_by_these_settings(trusted, settings, monkeypatch):
    tls, trusting = trusted
    monkeypatch.setenv(*next(iter(trusting.items())))
    with mail_server(tls, security="starttls", user="linli:s3cret-word") as server:
        environment = WITH_USER | {
            "LINLI_MAIL_HOST": "127.0.0.1", "LINLI_MAIL_PORT": str(server.port),
            "LINLI_MAIL_SECURITY": "starttls", "LINLI_MAIL_FROM": "邻里 <no-reply@example.cn>",
        }  # fmt: skip
        for name, value in told(environment).items():
            setattr(settings, name, value)
        get_connection().send_messages([EmailMessage("题", "文", to=["a@example.org"])])
    assert "mail FROM:<no-reply@example.cn>" in " ".join(server.said)
    [mail] = server.mails
    assert "Subject: =?utf-8?b?6aKY?=" in mail
