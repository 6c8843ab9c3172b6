"""Logging in as people do: password, authenticator app, passkey; and on to a tenant's host."""

import base64
import hmac
import re
import struct
import time

import pytest
from playwright.sync_api import Page, expect

from linli.accounts.policy import Role

from .conftest import PASSWORD

pytestmark = pytest.mark.browser


def log_in(page: Page, site, person) -> None:
    page.goto(site.platform())
    page.get_by_role("link", name="登录", exact=True).click()
    page.get_by_label("登录名或电子邮箱").fill(person.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()


def confirm_password(page: Page) -> None:
    """What a change of credentials asks for, however recently one logged in."""
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="确认").click()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("link", name="登录", exact=True)).to_be_visible()


def code_of(secret: str, *, periods_ahead: int = 0) -> str:
    """RFC 6238 with its defaults, worked out here rather than asked of the server."""
    counter = int(time.time()) // 30 + periods_ahead
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


def test_by_password_at_the_platform_and_on_to_the_tenant(site, staff, page):
    person = staff("chezhan", Role.COMMUNITY_WORKER)
    log_in(page, site, person)
    page.get_by_role("link", name="车站街道").click()
    expect(page).to_have_url(site.at("chezhan.linli.localhost"))
    expect(page.get_by_role("main")).to_contain_text("山东省 › 淄博市 › 张店区 › 车站街道")
    expect(page.get_by_role("main")).to_contain_text("社区工作者")
    expect(page.get_by_role("banner")).to_contain_text("王秀英")
    domains = {cookie["domain"] for cookie in page.context.cookies()}
    assert domains == {"linli.localhost", "chezhan.linli.localhost"}, "host-only, without a dot"


def test_from_the_tenants_own_page_and_back_to_it(site, staff, page):
    person = staff("chezhan", Role.COMMUNITY_WORKER)
    page.goto(site.at("chezhan.linli.localhost"))
    page.get_by_role("link", name="登录", exact=True).click()
    expect(page).to_have_url(re.compile(r"^http://linli\.localhost:\d+/accounts/login/"))
    page.get_by_label("登录名或电子邮箱").fill(person.username)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page).to_have_url(site.at("chezhan.linli.localhost"))
    expect(page.get_by_role("banner")).to_contain_text("王秀英")


def test_signing_out_at_the_platform_signs_out_at_the_tenant(site, staff, page):
    log_in(page, site, staff("chezhan", Role.COMMUNITY_WORKER))
    page.get_by_role("link", name="车站街道").click()
    expect(page.get_by_role("banner")).to_contain_text("王秀英")
    page.goto(site.platform())
    sign_out(page)
    page.goto(site.at("chezhan.linli.localhost"))
    expect(page.get_by_role("link", name="登录", exact=True)).to_be_visible()


def test_where_one_has_no_role_there_is_no_entry(site, staff, page):
    log_in(page, site, staff("chezhan", Role.COMMUNITY_WORKER))
    with page.expect_response(re.compile("hand-over")) as answer:
        page.goto(site.at("wenshao.linli.localhost", "/sign-in/"))
    assert answer.value.status == 403
    expect(page.get_by_role("heading", name="不能进入")).to_be_visible()


def test_with_an_authenticator_app(site, staff, page):
    person = staff("chezhan", Role.CHARITY_APPROVER)
    log_in(page, site, person)
    page.get_by_role("link", name="两步验证").click()
    page.get_by_role("link", name="激活").click()
    confirm_password(page)
    secret = page.locator("#authenticator_secret").input_value()
    page.locator("#id_code").fill(code_of(secret))
    page.get_by_role("button", name="激活").click()
    expect(page.locator("#recovery_codes")).to_have_value(re.compile(r"^(\d{8}\n){9}\d{8}$"))
    sign_out(page)

    log_in(page, site, person)
    expect(page).to_have_url(site.platform("/accounts/2fa/authenticate/"))
    page.locator("#id_code").fill("000000")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator("#id_code")).to_have_attribute("aria-invalid", "true")
    # A code is good once, so the one used above is not taken again.
    page.locator("#id_code").fill(code_of(secret, periods_ahead=1))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("heading", name="我的单位")).to_be_visible()


def test_with_a_passkey_alone(site, staff, page, tmp_path):
    person = staff("chezhan", Role.STREET_ADMINISTRATOR)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )["authenticatorId"]
    log_in(page, site, person)
    page.get_by_role("link", name="安全密钥").click()
    page.get_by_role("link", name="添加").click()
    confirm_password(page)
    page.get_by_label("免密码登录").check()
    page.get_by_role("button", name="添加").click()
    expect(page.locator("#recovery_codes")).to_be_visible()
    kept = devtools.send("WebAuthn.getCredentials", {"authenticatorId": key})["credentials"]
    assert [(c["rpId"], c["isResidentCredential"]) for c in kept] == [("linli.localhost", True)]
    page.get_by_role("link", name="安全密钥").click()
    expect(page.get_by_role("main")).to_contain_text("尚未使用。")
    sign_out(page)

    page.get_by_role("link", name="登录", exact=True).click()
    page.get_by_role("button", name="使用通行密钥登录").click()
    expect(page.get_by_role("heading", name="我的单位")).to_be_visible()
    page.get_by_role("link", name="车站街道").click()
    expect(page.get_by_role("main")).to_contain_text("街道管理员")
    page.goto(site.platform("/accounts/passkeys/"))
    page.screenshot(path=tmp_path / "keys.png")
    expect(page.get_by_role("main")).to_contain_text("上次使用")
