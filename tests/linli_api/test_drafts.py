"""Versions that are still being written, and what differs between any two, through the API."""

import pytest
from django.utils.translation import override

from linli.accounts.policy import Role, system_actor
from linli.tenancy.context import tenant_context
from linli_api import ids
from linli_api.execution import Request, run
from linli_api.schema import tenant_schema
from tenants.operating_model.actions import publish_version, write_version
from tenants.operating_model.models import Draft, ModelVersion
from tests.support.api import ask, do, done, errors, refused, statements
from tests.support.models import chengnan, write_chengnan

RATE = "partners.contributions[stationed].rate"
MONTHS = "partners.rent_free_months"
SHOWS = """draft { id version key title notes document bounds { path minimum maximum }
    derivedFrom { number } changedBy problems { code field message } }"""
COMPARE = """query($fromId: ID, $toId: ID!) { compareVersions(fromId: $fromId, toId: $toId) {
    text differences { kind path label before after text }
} }"""


@pytest.fixture
def version(house):
    return ids.encode("ModelVersion", ModelVersion.objects.get().pk)


@pytest.fixture
def draft(house, version):
    return done(house.administrator, "openDraft", SHOWS, versionId=version)


def edit(who, draft, path, value):
    given = {"draftId": draft["id"], "expectedVersion": draft["version"]}
    return done(who, "editDraft", SHOWS, values=[{"path": path, "value": value}], **given)


class TestDrafts:
    def test_from_open_to_finished(self, house, draft):
        who = house.administrator
        assert draft["document"] == ModelVersion.objects.get().document
        draft.pop("document")
        opened = dict(draft)
        assert (opened.pop("id"), opened.pop("changedBy")) == (draft["id"], who.person.name)
        assert opened == {
            "version": 1,
            "key": "chengnan",
            "title": "城南社区合伙人模式",
            "notes": "",
            "bounds": [{"path": RATE, "minimum": "0.01", "maximum": "0.05"}],
            "derivedFrom": {"number": 1},
            "problems": [],
        }
        edited = edit(who, draft, RATE, "0.04")
        assert edited["version"] == 2
        given = {"draftId": draft["id"], "expectedVersion": 2, "notes": "比例调高"}
        shows = "version { number notes document derivedFrom { number } }"
        made = done(who, "finishDraft", shows, **given)
        assert made.pop("document")["partners"]["contributions"][0]["rate"] == "0.04"
        assert made == {"number": 2, "notes": "比例调高", "derivedFrom": {"number": 1}}
        assert refused(who, "finishDraft", **given) == [("NOT_FOUND", "draftId")]

    def test_what_is_wrong_is_kept_and_told_at_its_place(self, house, draft):
        who = house.administrator
        given = {"draftId": draft["id"], "expectedVersion": 1}
        wrong = chengnan()
        wrong["partners"]["rent_free_months"] = "18"
        bounds = [{"path": RATE, "minimum": "0.5", "maximum": "0.1"}]
        saved = done(who, "saveDraft", SHOWS, document=wrong, bounds=bounds, **given)
        assert saved["document"] == wrong
        told = [(one["code"], one["field"]) for one in saved["problems"]]
        assert told == [("DOCUMENT_INVALID", MONTHS), ("BOUND_INVALID", RATE)]
        assert saved["problems"][0]["message"] == "Write a whole number from 0 to 60."
        given["expectedVersion"] = 2
        assert refused(who, "finishDraft", **given) == [("DOCUMENT_INVALID", MONTHS)]

    def test_a_document_may_come_as_text(self, house, draft):
        given = {"draftId": draft["id"], "expectedVersion": 1}
        saved = done(house.administrator, "saveDraft", SHOWS, document='{"partners": {}}', **given)
        assert saved["document"] == {"partners": {}}
        given["expectedVersion"] = 2
        twice = '{"partners": {}, "partners": {}}'
        assert refused(house.administrator, "saveDraft", document=twice, **given) == [
            ("DOCUMENT_INVALID", "partners")
        ]

    def test_one_that_grows_too_large_is_refused(self, house, draft):
        who = house.administrator
        title = {"zh": "长" * 20_000}
        draft = edit(who, draft, "partners.kinds[enterprise].title", title)
        given = {"draftId": draft["id"], "expectedVersion": 2}
        values = [{"path": "partners.kinds[department].title", "value": title}]
        assert refused(who, "editDraft", values=values, **given) == [("VALUE_TOO_LARGE", None)]
        assert refused(who, "saveDraft", notes="长" * 10_001, **given) == [("TEXT_TOO_LONG", None)]

    def test_the_second_of_two_is_told_who_was_first(self, house, draft, actor_as):
        colleague = actor_as(house.street, Role.STREET_ADMINISTRATOR)
        edit(colleague, draft, MONTHS, 6)
        given = {"draftId": draft["id"], "expectedVersion": 1}
        conflict = [("VERSION_CONFLICT", "expectedVersion")]
        for name, more in (
            ("saveDraft", {"document": {}}),
            ("editDraft", {"values": []}),
            ("discardDraft", {}),
            ("finishDraft", {}),
        ):
            assert refused(house.administrator, name, **given, **more) == conflict
        [error] = do(house.administrator, "discardDraft", **given)["errors"]
        assert error["message"].startswith(
            f"{colleague.person.name} changed this draft on 2026-06-15 12:00: it is at version 2"
        )

    def test_a_list_of_them(self, house, draft, version):
        who = house.administrator
        done(who, "openDraft", SHOWS, key="another", title="另一个")
        query = """query($key: String) { drafts(key: $key, orderBy: OLDEST) {
            totalCount nodes { key title changedAt changedBy problems { code } }
        } }"""
        found = ask(who, query, key=None)["drafts"]
        assert [one["key"] for one in found["nodes"]] == ["chengnan", "another"]
        assert found["nodes"][0]["changedAt"] == "2026-06-15T04:00:00+00:00"
        assert found["nodes"][1]["problems"][0]["code"] == "DOCUMENT_INVALID"
        assert [one["key"] for one in ask(who, query, key="another")["drafts"]["nodes"]] == [
            "another"
        ]
        before = statements(who, query)
        for number in range(3):
            done(who, "openDraft", SHOWS, key=f"more-{number}", title="更多")
        assert statements(who, query) == before

    def test_discarded_it_is_there_no_more(self, house, draft):
        given = {"draftId": draft["id"], "expectedVersion": 1, "reason": "不写了"}
        assert done(house.administrator, "discardDraft", "draftId", **given) == draft["id"]
        query = "query($id: ID!) { draft(id: $id) { id } }"
        assert errors(house.administrator, query, id=draft["id"]) == [("NOT_FOUND", "id")]

    def test_only_who_writes_models_sees_them(self, house, draft):
        query = "query($id: ID!) { draft(id: $id) { id } }"
        for who in (house.auditor, house.secretary, house.partner):
            assert errors(who, query, id=draft["id"]) == [("NOT_FOUND", "id")]
            assert refused(who, "openDraft", key="a", title="b") == [("FORBIDDEN", None)]

    def test_from_the_library(self, house, other_street, actor_as):
        published = publish_version(
            actor=system_actor(house.street),
            version_id=ModelVersion.objects.get().pk,
            profiles=[],
        )
        with tenant_context(other_street):
            who = actor_as(other_street, Role.STREET_ADMINISTRATOR)
            which = ids.encode("PublishedVersion", published.pk)
            begun = done(who, "openDraft", SHOWS, publishedId=which)
            assert (begun["key"], begun["derivedFrom"]) == ("chengnan", {"number": 1})
            # The library's version against the draft, from which one place was changed.
            edit(who, begun, MONTHS, 6)
            found = ask(who, COMPARE, fromId=which, toId=begun["id"])["compareVersions"]
            assert found["text"] == "Partners › Rent-free months: 18 months → 6 months"


class TestComparing:
    def test_a_draft_with_what_it_was_written_from(self, house, draft):
        who = house.administrator
        edited = edit(who, edit(who, draft, MONTHS, 6), RATE, "0.045")
        found = ask(who, COMPARE, toId=edited["id"])["compareVersions"]
        label = "Partners › Contributions › Share of takings › Rate"
        assert found["differences"] == [
            {
                "kind": "CHANGED",
                "path": RATE,
                "label": label,
                "before": "0.03",
                "after": "0.045",
                "text": f"{label}: 3 % → 4.5 %",
            },
            {
                "kind": "CHANGED",
                "path": MONTHS,
                "label": "Partners › Rent-free months",
                "before": 18,
                "after": 6,
                "text": "Partners › Rent-free months: 18 months → 6 months",
            },
        ]
        assert found["text"] == "\n".join(one["text"] for one in found["differences"])

    def test_in_chinese_to_who_asks_in_chinese(self, house, draft):
        edit(house.administrator, draft, RATE, "0.04")
        with override("zh-hans"), tenant_context(house.street):
            asked = Request(COMPARE, {"toId": draft["id"]})
            body = run(tenant_schema, asked, house.administrator).body
        assert body["data"]["compareVersions"]["text"] == (
            "合伙人 › 反哺规则 › 常驻合伙人按收入比例反哺 › 比例：3 % → 4 %"
        )

    def test_two_versions_either_way(self, house, version):
        who = house.administrator
        changed = chengnan()
        changed["partners"]["rent_free_months"] = 6
        given = {"key": "chengnan", "title": "二", "document": changed, "bounds": []}
        second = done(who, "writeVersion", "version { id }", **given)["id"]
        read = lambda **asked: ask(who, COMPARE, **asked)["compareVersions"]["text"]  # noqa: E731
        there = read(fromId=version, toId=second).splitlines()
        assert there == [
            "Partners › Contributions › Share of takings › Rate, bound: 1 % to 5 % → free",
            "Partners › Rent-free months: 18 months → 6 months",
        ]
        assert read(toId=second).splitlines() == there
        assert read(fromId=second, toId=version).splitlines()[1] == (
            "Partners › Rent-free months: 6 months → 18 months"
        )
        assert read(fromId=version, toId=version) == "Nothing differs."
        assert read(toId=version).startswith("Partners: none → ")  # the first is from nothing

    def test_what_is_not_there_is_not_found(self, house, version, other_street):
        who = house.administrator
        with tenant_context(other_street):
            elsewhere = ids.encode("ModelVersion", write_chengnan(other_street).pk)
        for wrong in (elsewhere, house.chengnan, "nonsense", ids.encode("Draft", 7)):
            assert errors(who, COMPARE, toId=wrong) == [("NOT_FOUND", "toId")]
            assert errors(who, COMPARE, fromId=wrong, toId=version) == [("NOT_FOUND", "fromId")]

    def test_who_reads_rules_compares_versions_but_no_drafts(self, house, draft, version):
        assert ask(house.auditor, COMPARE, toId=version)["compareVersions"]["text"]
        assert errors(house.auditor, COMPARE, toId=draft["id"]) == [("NOT_FOUND", "toId")]
        assert Draft.objects.count() == 1

    def test_what_a_version_came_from_is_compared_only_by_who_sees_it(
        self, house, street, other_street, actor_as
    ):
        with tenant_context(other_street):
            first = write_chengnan(other_street)
            publish_version(
                actor=system_actor(other_street),
                version_id=first.pk,
                profiles=[],
                visibility="private",
            )
            changed = chengnan()
            changed["partners"]["rent_free_months"] = 6
            second = write_version(
                actor=system_actor(other_street),
                key=first.key,
                title="城南模式",
                document=changed,
                bounds={},
                derived_from_id=first.pk,
            )
            shown = publish_version(
                actor=system_actor(other_street), version_id=second.pk, profiles=[]
            )
        to_id = ids.encode("PublishedVersion", shown.pk)
        assert errors(house.administrator, COMPARE, toId=to_id) == [("NOT_FOUND", "fromId")]

    def test_in_the_library(self, street, other_street, other_city, actor_as):
        published = []
        for tenant, bounds in ((street, {MONTHS: {"maximum": 12 + 6}}), (other_street, {})):
            with tenant_context(tenant):
                row = publish_version(
                    actor=system_actor(tenant),
                    version_id=write_chengnan(tenant, bounds or None).pk,
                    profiles=[],
                )
                published.append(ids.encode("PublishedVersion", row.pk))
        reader = actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)
        query = COMPARE.replace("$fromId: ID,", "$fromId: ID!,")
        found = ask(reader, query, fromId=published[0], toId=published[1])["compareVersions"]
        assert found["text"].splitlines() == [
            "Partners › Contributions › Share of takings › Rate, bound: free → 1 % to 5 %",
            "Partners › Rent-free months, bound: at most 18 months → free",
        ]
        wrong = ids.encode("PublishedVersion", published[0])
        assert errors(reader, query, fromId=wrong, toId=published[1]) == [("NOT_FOUND", "fromId")]
