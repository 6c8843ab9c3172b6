"""A real gunicorn on a database of the test's own, and a real Chromium in front of it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from linli.accounts.actions import grant_membership, register_person
from linli.accounts.models import Person
from linli.accounts.policy import Role, system_actor
from linli.registry.models import Tenant
from tests.support.databases import Database
from tests.support.servers import serving

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
]
expect.set_options(timeout=30_000)
PASSWORD = "chuangye-lu-17"


@dataclass(frozen=True)
class Site:
    port: int

    def at(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"

    def platform(self, path: str = "/") -> str:
        return self.at("linli.localhost", path)


@pytest.fixture
def site(scratch_database: Database) -> Iterator[Site]:
    with serving(scratch_database) as port:
        yield Site(port)


@pytest.fixture
def staff(site: Site) -> Callable[[str, Role], Person]:
    """``staff("chezhan", Role.COMMUNITY_WORKER)``: somebody with that role there and `PASSWORD`."""

    def make(slug: str, role: Role) -> Person:
        tenant = Tenant.objects.select_related("parent__parent").get(slug=slug)
        system = system_actor(tenant)
        person = register_person(actor=system, username=f"{role}", name="王秀英", password=PASSWORD)
        grant_membership(actor=system, person_id=person.pk, role=role)
        return person

    return make


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail("These tests drive a real browser: run `make chromium` first.")
    # Playwright's loop runs in this thread, and Django would refuse to touch the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A desktop window of a Chinese browser. Whatever a page's scripts complain of fails the test."""
    context = chromium.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900})
    context.set_default_timeout(30_000)
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def console(line: ConsoleMessage) -> None:
        # A refusal by status code is said there too; tests look at those themselves.
        if line.type == "error" and "Failed to load resource" not in line.text:
            faults.append(line.text)

    page.on("console", console)
    yield page
    context.close()
    assert faults == []
