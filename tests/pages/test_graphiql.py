"""GraphiQL in a real browser: all it loads is ours, the Explorer writes a document, and it runs."""

import pytest
from playwright.sync_api import Browser, Page, expect

from linli.accounts.policy import Role

from .test_appearance import SIZES, TENANT, log_in

pytestmark = pytest.mark.browser


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Every address the page asks for, its workers' included."""
    found: list[str] = []
    page.context.on("request", lambda request: found.append(request.url))
    return found


def hosts(asked: list[str]) -> set[str]:
    return {url.split("/")[2] for url in asked if url.startswith("http")}


def enter(page: Page, site, person) -> None:
    log_in(page, site, person)
    page.goto(site.at(TENANT, "/sign-in/"))


def test_the_explorer_ticks_a_field_and_the_document_is_run(site, staff, page, asked):
    person = staff("chezhan", Role.AUDITOR)
    enter(page, site, person)
    asked.clear()
    page.goto(site.at(TENANT, "/graphql"))
    page.get_by_label("Show GraphiQL Explorer").click()
    page.locator(".graphiql-explorer-root").get_by_text("viewer", exact=True).click()
    page.locator(".graphiql-explorer-root").get_by_text("name", exact=True).click()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("name")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".graphiql-response")).to_contain_text(person.name)
    assert hosts(asked) == {f"{TENANT}:{site.port}"}
    assert [url for url in asked if url.endswith("graphql.worker.js")]


def test_what_is_typed_is_checked_against_the_schema_by_our_worker(site, staff, page, asked):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql#query=%7B%20viewer%20%7B%20nickname%20%7D%20%7D"))
    expect(page.locator(".graphiql-query-editor .squiggly-error").first).to_be_visible()


def test_an_example_of_the_reference_is_tried_in_it(site, staff, page, asked):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs#example-communities"))
    page.locator("#example-communities").get_by_text("GraphiQL").click()
    expect(page.locator(".graphiql-query-editor")).to_contain_text("totalCount")
    page.get_by_role("button", name="Execute query").click()
    expect(page.locator(".graphiql-response")).to_contain_text('"communities"')
    assert hosts(asked) <= {f"{host}:{site.port}" for host in (TENANT, "linli.localhost")}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_it_fits_a_desk_and_a_phone(site, staff, chromium: Browser, language, tmp_path):
    person = staff("chezhan", Role.AUDITOR)
    context = chromium.new_context(locale=language)
    context.set_default_timeout(30_000)
    page = context.new_page()
    enter(page, site, person)
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(site.at(TENANT, "/graphql#query=%7B%20viewer%20%7B%20name%20%7D%20%7D"))
        page.get_by_role("button", name="Execute query").click()
        expect(page.locator(".graphiql-response")).to_contain_text("data")
        page.screenshot(path=tmp_path / f"graphiql-{language}-{width}.png")
        expect(page.locator(".graphiql-response")).to_contain_text(person.name)
        page.get_by_label("Show GraphiQL Explorer").click()
        page.locator(".graphiql-explorer-root").wait_for()
        page.screenshot(path=tmp_path / f"explorer-{language}-{width}.png")
        page.get_by_label("Hide GraphiQL Explorer").click()  # it would be remembered
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0
    context.close()
