"""The first pages: where one may go, and where one is."""

from uuid import uuid4

from django.test import Client

from linli.accounts import views
from linli.accounts.policy import Role
from linli.registry.models import Tenant

PLATFORM = "http://linli.localhost:8000/"
CHEZHAN = "http://chezhan.linli.localhost:8000/"


def test_a_stranger_learns_what_linli_is_and_where_to_sign_in(browser):
    page = browser.get(PLATFORM).content.decode()
    assert '<html lang="zh-hans">' in page
    assert 'href="/sign-in/"' in page


def test_chinese_unless_the_browser_or_the_person_wants_english(browser):
    assert "登录" in browser.get(PLATFORM).content.decode()
    english = Client(headers={"host": "linli.localhost:8000", "accept-language": "en"})
    assert "Sign in" in english.get("/").content.decode()
    browser.post(f"{PLATFORM}language/", language="en", next="/")
    assert "Sign in" in browser.get(PLATFORM).content.decode()


def test_a_person_sees_the_tenants_they_may_enter_with_their_roles(
    browser, person, give, district, street, other_street
):
    give(person, district, Role.DISTRICT_ADMINISTRATOR)
    give(person, street, Role.COMMUNITY_WORKER, community_id=uuid4())
    browser.log_in(person)
    places = browser.get(PLATFORM).context["places"]
    assert [(p.tenant.slug, p.roles, p.address) for p in places] == [
        (
            "zhangdian",
            [Role.DISTRICT_ADMINISTRATOR],
            "http://zhangdian.linli.localhost:8000",
        ),
        (
            "chezhan",
            [Role.DISTRICT_ADMINISTRATOR, Role.COMMUNITY_WORKER],
            "http://chezhan.linli.localhost:8000",
        ),
    ]


def test_what_is_not_served_is_not_offered(browser, person, give, street):
    give(person, street, Role.AUDITOR)
    Tenant.objects.filter(pk=street.pk).update(status=Tenant.Status.ARCHIVED)
    browser.log_in(person)
    assert browser.get(PLATFORM).context["places"] == []


def test_places_are_found_by_name_and_by_division_code(browser, person, give):
    give(person, None, Role.PLATFORM_OPERATOR)
    browser.log_in(person)

    def found(search):
        places = browser.get(f"{PLATFORM}?q={search}").context["places"]
        return [place.tenant.slug for place in places]

    assert found("") == ["datong", "zibo", "zhangdian", "chezhan", "linzi", "wenshao"]
    assert found("街道") == ["chezhan", "wenshao"]
    assert found("370303") == ["zhangdian", "chezhan"]
    assert found("北京") == []


def test_the_list_costs_the_same_however_long_it_is(
    browser, new_person, give, street, city, django_assert_num_queries
):
    few, many = new_person(), new_person()
    give(few, street, Role.AUDITOR)
    give(many, city, Role.CITY_SUPERVISOR)
    counted = []
    for person in (few, many):
        visitor = type(browser)()
        visitor.log_in(person)
        with django_assert_num_queries(7) as captured:
            visitor.get(PLATFORM)
        counted.append(len(captured))
    assert counted == [7, 7]


def test_a_tenants_page_names_it_and_its_region(browser, street):
    answer = browser.get(CHEZHAN)
    assert [division.name for division in answer.context["region"]] == [
        "山东省",
        "淄博市",
        "张店区",
        "车站街道",
    ]
    assert "车站街道" in answer.content.decode()
    assert 'href="/sign-in/"' in answer.content.decode()
    assert not answer.context["explorer"]


def test_a_tenants_page_says_who_you_are_there(browser, person, give, street):
    give(person, street, Role.STREET_ADMINISTRATOR)
    browser.log_in(person)
    browser.follow(f"{CHEZHAN}sign-in/")
    answer = browser.get(CHEZHAN)
    assert [str(role) for role in answer.context["roles"]] == ["街道管理员"]
    assert person.name in answer.content.decode()


def test_the_explorer_is_linked(browser, person, give, street):
    give(person, street, Role.AUDITOR)
    browser.log_in(person)
    browser.follow(f"{CHEZHAN}sign-in/")
    assert 'href="/graphql"' in browser.get(CHEZHAN).content.decode()


def test_who_lost_every_role_here_is_told_so_and_offered_nothing(browser, person, give, street):
    membership = give(person, street, Role.AUDITOR)
    browser.log_in(person)
    browser.follow(f"{CHEZHAN}sign-in/")
    membership.ended_on = membership.starts_on
    membership.save()
    answer = browser.get(CHEZHAN)
    assert answer.context["roles"] == []
    assert not answer.context["explorer"]


def test_missing_pages_and_forms_held_too_long_look_like_the_rest(browser):
    assert "404.html" in [t.name for t in browser.get(f"{PLATFORM}nothing/").templates]
    strict = Client(enforce_csrf_checks=True, headers={"host": "linli.localhost:8000"})
    answer = strict.post("/accounts/login/", {"login": "x", "password": "x"})
    assert answer.status_code == 403
    assert "403_csrf.html" in [t.name for t in answer.templates]


def test_a_page_has_room_for_its_list(browser, person, give, monkeypatch):
    monkeypatch.setattr(views, "PLACES_PER_PAGE", 4)
    give(person, None, Role.PLATFORM_OPERATOR)
    browser.log_in(person)
    first, second = (browser.get(f"{PLATFORM}?page={n}").context["places"] for n in (1, 2))
    assert [len(first), len(second)] == [4, 2]
