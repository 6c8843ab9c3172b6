"""The reference in a browser: it is searched, linked into, and read on a phone."""

import pytest
from playwright.sync_api import Browser, Page, expect

from linli.accounts.policy import Role

from .test_appearance import SIZES, TENANT, faults
from .test_graphiql import enter

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_it_fits_a_desk_and_a_phone(site, staff, chromium: Browser, language, tmp_path):
    context = chromium.new_context(locale=language)
    context.set_default_timeout(30_000)
    page = context.new_page()
    enter(page, site, staff("chezhan", Role.AUDITOR))
    for host in (TENANT, "linli.localhost"):
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.goto(site.at(host, "/graphql/docs"))
            page.screenshot(path=tmp_path / f"{host}-{language}-{width}.png")
            page.goto(site.at(host, "/graphql/docs#Tenant.division"))
            page.screenshot(path=tmp_path / f"{host}-{language}-{width}-open.png")
            assert faults(page) == []
            page.goto(site.at(host, "/graphql/docs#Mutation.createClient"))
            page.screenshot(path=tmp_path / f"{host}-{language}-{width}-mutation.png")
            assert faults(page) == []
    context.close()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_document_fits_a_desk_and_a_phone(site, staff, chromium: Browser, language, tmp_path):
    context = chromium.new_context(locale=language)
    context.set_default_timeout(30_000)
    page = context.new_page()
    enter(page, site, staff("chezhan", Role.AUDITOR))
    for width, height in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.goto(site.at(TENANT, "/graphql/docs"))
        page.locator(".actions > .quiet").click()
        page.screenshot(path=tmp_path / f"document-{language}-{width}.png")
        assert faults(page) == []
        page.evaluate("location.hash = 'partners.contributions'")
        expect(page.locator("[id='partners.contributions[*].rate:share']")).to_be_visible()
        page.screenshot(path=tmp_path / f"document-{language}-{width}-open.png", full_page=True)
        assert faults(page) == []
    page.locator("#filter").fill("stars_at_least")
    expect(page.locator("[id='partners.incentives']")).to_be_visible()
    expect(page.locator("[id='partners.contributions']")).to_be_hidden()
    context.close()


def test_it_is_searched(site, staff, page: Page):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs"))
    partner, fund = page.locator("#Partner"), page.locator("#Fund")
    page.locator("#filter").fill("Agreement rent")
    expect(page.locator("#Agreement")).to_be_visible()
    expect(fund).to_be_hidden()
    page.locator("#filter").fill("no such word")
    expect(page.locator("#found")).to_be_visible()
    expect(partner).to_be_hidden()
    page.locator("#filter").fill("")
    expect(partner).to_be_visible()
    expect(fund).to_be_visible()


def test_an_address_opens_what_it_points_at(site, staff, page: Page):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs#Partner.kind"))
    expect(page.locator("[id='Partner.kind']")).to_be_in_viewport()
    page.locator("[id='Partner.community']").get_by_role(
        "link", name="Community", exact=True
    ).click()
    expect(page.locator("[id='Community.name']")).to_be_visible()


def test_a_chinese_term_leads_to_the_glossary(site, staff, page: Page):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs#Contribution"))
    page.locator("#Contribution").get_by_role("link", name="反哺").first.click()
    expect(page.locator("#term-反哺")).to_be_in_viewport()


def test_a_link_is_followed_out_of_what_is_searched(site, staff, page: Page):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs"))
    page.locator("#filter").fill("Contribution amountFen")
    expect(page.locator("#glossary")).to_be_hidden()
    page.locator("#Contribution > summary").click()
    page.locator("#Contribution").get_by_role("link", name="反哺").first.click()
    expect(page.locator("#term-反哺")).to_be_in_viewport()
    page.goto(site.at(TENANT, "/graphql/docs"))
    page.locator("#filter").fill("Contribution amountFen")
    expect(page.locator("#Partner")).to_be_hidden()
    page.evaluate("location.hash = 'Partner.kind'")
    expect(page.locator("[id='Partner.kind']")).to_be_in_viewport()


def test_it_says_what_a_field_costs_and_which_scope_a_program_needs(site, staff, page: Page):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs"))
    for anchor, cost, scopes in (
        ("Query.partners", "1 + first × …", ["partners:read"]),
        ("Mutation.declareIncomes", "5 × items + …", ["partners:write"]),
        ("Mutation.approveSpending", "10 + …", ["fund:approve"]),
        ("Query.exports", "1 + first × …", []),
        ("Partner.name", "0", []),
        ("PartnerConnection.nodes", "…", []),
    ):
        entry = page.locator(f"[id='{anchor}']")
        assert entry.locator(".cost").text_content() == f"计费： {cost}", anchor
        assert entry.locator(".scopes .badge").all_text_contents() == scopes, anchor
