"""The reference in a browser: it is searched, linked into, and read on a phone."""

import pytest
from playwright.sync_api import Page, expect

from linli.accounts.policy import Role

from .test_appearance import TENANT
from .test_graphiql import enter

pytestmark = pytest.mark.browser


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
    page.locator("#Partner").get_by_role("link", name="Agreement", exact=True).first.wait_for(
        state="attached"
    )
    page.locator("[id='Partner.community']").get_by_role("link", name="Community").click()
    expect(page.locator("[id='Community.name']")).to_be_visible()


def test_a_chinese_term_leads_to_the_glossary(site, staff, page: Page):
    enter(page, site, staff("chezhan", Role.AUDITOR))
    page.goto(site.at(TENANT, "/graphql/docs#Contribution"))
    page.locator("#Contribution").get_by_role("link", name="反哺").first.click()
    expect(page.locator("#term-反哺")).to_be_in_viewport()
