"""Every page in both languages, on a phone and on a desk: it fits, it is labelled, it is legible.

The pictures are left in pytest's temporary folder, to be looked at.
"""

from pathlib import Path

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from playwright.sync_api import Browser, Page

from linli.accounts.policy import Role

from .conftest import PASSWORD

pytestmark = pytest.mark.browser

SIZES = {390: 844, 1440: 900}
TENANT = "chezhan.linli.localhost"
FOR_STRANGERS = ["/", "/accounts/login/", "/nothing-here/"]
FOR_STAFF = [
    "/",
    "/?q=nothing",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/totp/activate/",
    "/accounts/passkeys/",
    "/accounts/passkeys/add/",
    "/accounts/logout/",
]
WITH_TWO_STEPS = [
    "/accounts/2fa/",
    "/accounts/2fa/recovery-codes/",
    "/accounts/2fa/recovery-codes/generate/",
    "/accounts/2fa/totp/deactivate/",
]

FAULTS = Path(__file__).with_name("faults.js").read_text()


def faults(page: Page) -> list[str]:
    return page.evaluate(FAULTS)


def log_in(page: Page, site, person, *, leads_to: str = "/") -> None:
    page.goto(site.platform("/accounts/login/"))
    page.locator("#id_login").fill(person.username)
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_url(site.platform(leads_to))


def reauthenticate(page: Page, site) -> None:
    page.goto(site.platform("/accounts/2fa/totp/activate/"))
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")
    page.wait_for_url("**/totp/activate/")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_fits_is_labelled_and_legible(
    site, staff, chromium: Browser, language, tmp_path
):
    person = staff("chezhan", Role.STREET_ADMINISTRATOR)
    context = chromium.new_context(locale=language)
    context.set_default_timeout(10_000)
    page = context.new_page()
    found: dict[str, list[str]] = {}

    def look(name: str, address: str) -> None:
        page.goto(address)
        for width, height in SIZES.items():
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)
            if wrong := faults(page):
                found[f"{address} at {width}"] = wrong

    for path in FOR_STRANGERS:
        look("stranger" + path.replace("/", "-"), site.platform(path))
    look("tenant-stranger", site.at(TENANT))
    look("tenant-expired", site.at(TENANT, "/sign-in/complete?code=none"))
    log_in(page, site, person)
    look("reauthenticate", site.platform("/accounts/2fa/totp/activate/"))
    reauthenticate(page, site)
    for path in FOR_STAFF:
        look("staff" + path.replace("/", "-").replace("?", ""), site.platform(path))
    look("tenant-entered", site.at(TENANT, "/sign-in/"))
    look("no-entry", site.at("wenshao.linli.localhost", "/sign-in/"))
    TOTP.activate(person, generate_totp_secret())
    RecoveryCodes.activate(person)
    for path in WITH_TWO_STEPS:
        look("two-steps" + path.replace("/", "-"), site.platform(path))
    context.clear_cookies()
    log_in(page, site, person, leads_to="/accounts/2fa/authenticate/")
    look("authenticate", page.url)
    context.close()
    assert found == {}
