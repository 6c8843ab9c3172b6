"""GraphiQL in a real browser: its assets come from us, and it runs a document as the person."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import sync_playwright

from linli.accounts.policy import Role
from linli.registry.models import Tenant
from tests.support.databases import ROOT

HOST = "chezhan.linli.localhost"


@pytest.fixture
def port(scratch_database) -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{number}"],
        cwd=ROOT,
        env=scratch_database.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", number)) == 0:
                    break
            time.sleep(0.1)
        yield number
    finally:
        server.terminate()
        server.wait()


@pytest.mark.browser
def test_a_document_is_run_as_the_person_who_is_logged_in(port, actor_as):
    person = actor_as(Tenant.objects.get(slug="chezhan"), Role.AUDITOR).person
    client = Client(headers={"host": HOST})
    client.force_login(person)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", f"--host-resolver-rules=MAP {HOST} 127.0.0.1"],
        )
        context = chromium.new_context()
        address = f"http://{HOST}:{port}"
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}]
        )
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/graphql")
        editor = page.locator(".graphiql-query-editor .CodeMirror")
        editor.click()
        page.keyboard.press("Control+a")
        page.keyboard.type("{ viewer { name ")
        page.keyboard.press("Control+Enter")
        page.get_by_text(person.name).wait_for()
        chromium.close()
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {f"{HOST}:{port}"}
