"""The library through the platform's API."""

import json
from datetime import date

import pytest
from django.test import Client

from linli.accounts.policy import Role, system_actor
from linli.ids import uuid7
from linli.library.document import json_schema
from linli.library.models import PublishedVersion
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.scalars import instant
from linli_api.schema import platform_schema
from tenants.operating_model.actions import (
    adopt_version,
    change_visibility,
    publish_version,
    withdraw_version,
)
from tenants.operating_model.models import ModelVersion
from tests.support.api import ask, errors, statements
from tests.support.models import write_chengnan

pytestmark = pytest.mark.django_db


def published(tenant, profiles=("ageing",), **more) -> PublishedVersion:
    with tenant_context(tenant):
        version = write_chengnan(tenant)
        return publish_version(
            actor=system_actor(tenant), version_id=version.pk, profiles=profiles, **more
        )


@pytest.fixture
def reader(other_city, actor_as):
    """Of a city that has nothing to do with the authors'."""
    return actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)


class TestVersions:
    def test_everything_is_shown_to_everybody_who_may_adopt(self, street, reader):
        version = published(street, ["ageing", "old_estate"], case_text="三年，五十万元。")
        key = ids.encode("PublishedVersion", version.pk)
        query = """query($id: ID!) { publishedVersion(id: $id) {
            id authorName author { slug } key number title document bounds { path locked minimum maximum } digest notes
            profiles caseText evidence { measure value asOf } publishedAt
        } }"""
        found = ask(reader, query, id=key)["publishedVersion"]
        assert found.pop("publishedAt") == instant(version.published_at)
        assert found.pop("document") == version.document
        assert found == {
            "id": key,
            "authorName": "车站街道",
            "author": None,  # the tenant itself is not theirs to see
            "key": "chengnan",
            "number": 1,
            "title": "城南社区合伙人模式",
            "bounds": [
                {
                    "path": "partners.contributions[stationed].rate",
                    "locked": False,
                    "minimum": "0.01",
                    "maximum": "0.05",
                }
            ],
            "digest": version.digest,
            "notes": "",
            "profiles": ["AGEING", "OLD_ESTATE"],
            "caseText": "三年，五十万元。",
            "evidence": [],
        }

    def test_the_evidence_is_what_was_measured(self, street, reader):
        version = published(street, ["ageing"])
        key = ids.encode("PublishedVersion", version.pk)
        copy = type(version).objects.get(pk=version.pk)
        copy.pk, copy.number = uuid7(), 2
        copy.evidence = {
            "self_reliance_rate": {"value": "0.532500", "as_of": "2025-12-31"},
            "communities": {"value": None, "as_of": "2025-12-31"},
            "fund_balance_fen": {"value": "85200045.000000", "as_of": "2025-12-31"},
            "no_more": {"value": "3", "as_of": "2025-12-31"},
        }
        copy.save(force_insert=True)
        query = """{ publishedVersions(orderBy: OLDEST) {
            nodes { id evidence { measure value unit text asOf } }
        } }"""
        first, second = ask(reader, query)["publishedVersions"]["nodes"]
        assert first == {"id": key, "evidence": []}
        assert second["evidence"] == [
            {"measure": measure, "value": value, "unit": unit, "text": text, "asOf": "2025-12-31"}
            for measure, value, unit, text in (
                ("communities", None, "COUNT", None),
                ("fund_balance_fen", "85200045", "FEN", "852,000.45"),
                ("no_more", "3", None, None),
                ("self_reliance_rate", "0.5325", "SHARE", "53.25 %"),
            )
        ]

    def test_by_profile(self, street, other_street, reader):
        published(street, ["ageing"])
        published(other_street, ["young", "ageing"])

        def authors(arguments=""):
            query = f"{{ publishedVersions{arguments} {{ nodes {{ authorName }} }} }}"
            return [one["authorName"] for one in ask(reader, query)["publishedVersions"]["nodes"]]

        assert authors() == ["闻韶街道", "车站街道"]
        assert authors("(profile: AGEING, orderBy: OLDEST)") == ["车站街道", "闻韶街道"]
        assert authors("(profile: YOUNG)") == ["闻韶街道"]
        assert authors("(profile: NEW_ESTATE)") == []

    def test_not_for_somebody_without_a_role(self, reader):
        reader.person.memberships.update(ended_on="2020-02-01")
        stranger = type(reader)(reader.person, None)
        assert errors(stranger, "{ publishedVersions { totalCount } }") == [("FORBIDDEN", None)]

    def test_statements_do_not_grow_with_the_rows(self, street, other_street, reader):
        query = "{ publishedVersions { totalCount nodes { authorName author { name } key } } }"
        published(street)
        few = statements(reader, query)
        published(other_street)
        assert statements(reader, query) == few


class TestSchema:
    QUERY = "{ operatingModelSchema { url schema } }"

    def test_it_is_published_to_anybody_here_and_at_its_address(self, settings):
        body = run(platform_schema, Request(self.QUERY), None).body
        found = body["data"]["operatingModelSchema"]
        assert found["schema"] == json_schema()
        assert found["url"] == f"{settings.LINLI_PLATFORM_URL}/schemas/operating-model-1.json"
        path = found["url"].removeprefix(settings.LINLI_PLATFORM_URL)
        response = Client(headers={"host": "linli.localhost"}).get(path)
        assert json.loads(response.content) == found["schema"]


class TestPublication:
    """At the author's host, and wherever there is a copy."""

    CHANGE = """mutation($i: ChangeVisibilityInput!) { changeVisibility(input: $i) {
        errors { code field } version { publication { visibility version } } } }"""
    WITHDRAW = """mutation($i: WithdrawVersionInput!) { withdrawVersion(input: $i) {
        errors { code field } version { publication { withdrawalReason visibility } } } }"""
    SHOW = """{ modelVersions { nodes { publication {
        publishedId version visibility withdrawnAt withdrawalReason } } } }"""

    def test_it_is_changed_withdrawn_and_shown_where_it_runs(self, street, other_street, actor_as):
        administrator = actor_as(street, Role.STREET_ADMINISTRATOR)
        version = published(street)
        with tenant_context(street):
            own = ids.encode("ModelVersion", ModelVersion.objects.get().pk)
            given = {"versionId": own, "visibility": "CITY", "expectedVersion": 1}
            done = ask(administrator, self.CHANGE, i=given)["changeVisibility"]
        assert done == {
            "errors": [], "version": {"publication": {"visibility": "CITY", "version": 2}},
        }  # fmt: skip
        with tenant_context(other_street):
            adopt_version(
                actor=system_actor(other_street),
                published_id=version.pk,
                effective_from=date(2025, 1, 1),
            )
            reader = actor_as(other_street, Role.AUDITOR)
            [shown] = ask(reader, self.SHOW)["modelVersions"]["nodes"]
        assert shown["publication"] == {
            "publishedId": ids.encode("PublishedVersion", version.pk), "version": None,
            "visibility": "CITY", "withdrawnAt": None, "withdrawalReason": None,
        }  # fmt: skip
        with tenant_context(street):
            given = {"versionId": own, "reason": "请用第二版"}
            done = ask(administrator, self.WITHDRAW, i=given)["withdrawVersion"]
        assert done["errors"] == []
        assert done["version"]["publication"] == {
            "withdrawalReason": "请用第二版", "visibility": "CITY",
        }  # fmt: skip
        with tenant_context(other_street):
            [shown] = ask(reader, self.SHOW)["modelVersions"]["nodes"]
        version.refresh_from_db()
        assert shown["publication"]["withdrawnAt"] == instant(version.withdrawn_at)
        assert shown["publication"]["withdrawalReason"] == "请用第二版"

    def test_what_is_shown_here_no_more_still_tells_that_it_was_withdrawn(
        self, street, other_street, actor_as
    ):
        version = published(street)
        with tenant_context(other_street):
            adopt_version(
                actor=system_actor(other_street),
                published_id=version.pk,
                effective_from=date(2025, 1, 1),
            )
        with tenant_context(street):
            own = ModelVersion.objects.get()
            for act, more in (
                (change_visibility, {"visibility": "private"}),
                (withdraw_version, {"reason": "旧了"}),
            ):
                act(actor=system_actor(street), version_id=own.pk, **more)
        with tenant_context(other_street):
            reader = actor_as(other_street, Role.AUDITOR)
            [shown] = ask(reader, self.SHOW)["modelVersions"]["nodes"]
        publication = shown["publication"]
        assert publication.pop("withdrawnAt")
        assert publication == {
            "publishedId": None, "version": None, "visibility": None, "withdrawalReason": "旧了",
        }  # fmt: skip
