"""M2: a version that is still being written, by several people in turn; nothing is overwritten."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.utils.translation import override

from linli import sizes
from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.events.models import Event
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import write_version
from tenants.operating_model.drafts import (
    discard_draft,
    edit_draft,
    finish_draft,
    open_draft,
    save_draft,
)
from tenants.operating_model.models import Draft, ModelVersion
from tenants.operating_model.selectors import drafts, problems_of
from tests.support.calendar import on_day
from tests.support.rows import rows_unchanged

from .conftest import BOUNDS, DAY, MONTHS, RATE, START, document, publish, trail, write


@pytest.fixture
def draft(at_street, administrator):
    """Of version 1, by the administrator."""
    return open_draft(actor=administrator, version_id=write(at_street).pk)


@pytest.fixture
def colleague(at_street, actor_as):
    return actor_as(at_street, Role.STREET_ADMINISTRATOR)


def refusal(act, tenant, *, within=True):
    """The refusal; no row of the tenant or of the platform has changed."""
    with (
        rows_unchanged(tenant.schema_name),
        pytest.raises(Refused) as refused,
        transaction.atomic(),
    ):
        act()
    return refused.value


class TestOpening:
    def test_from_a_version_it_begins_with_what_that_holds(self, at_street, administrator):
        version = write(at_street)
        draft = open_draft(actor=administrator, version_id=version.pk)
        draft.refresh_from_db()
        assert (draft.key, draft.title, draft.notes) == ("chengnan", "城南社区合伙人模式", "")
        assert (draft.document, draft.bounds) == (version.document, BOUNDS)
        assert (draft.derived_from, draft.version) == (version, 1)
        [entry] = trail("models.open_draft")
        assert entry.person_id == administrator.person_id
        assert entry.after == {
            "key": "chengnan",
            "title": "城南社区合伙人模式",
            "derived_from_id": str(version.pk),
        }

    def test_it_may_be_another_model_under_another_name(self, at_street, administrator):
        version = write(at_street)
        draft = open_draft(
            actor=administrator, version_id=version.pk, key="gongsheng", title="工盛"
        )
        made = finish_draft(actor=administrator, draft_id=draft.pk)
        assert (made.key, made.number, made.title) == ("gongsheng", 1, "工盛")
        assert made.derived_from == version

    def test_from_nothing_it_is_empty(self, at_street, administrator):
        draft = open_draft(actor=administrator, key="new", title="新模式")
        assert (draft.document, draft.bounds, draft.derived_from) == ({}, {}, None)

    def test_from_nothing_of_a_known_model_it_follows_the_last_version(self, at_street):
        write(at_street)
        second = write(at_street, document(rent_free_months=1))
        draft = open_draft(actor=system_actor(at_street), key="chengnan", title="重写")
        assert (draft.document, draft.derived_from) == ({}, second)

    def test_from_a_published_one_a_copy_is_frozen_here(self, at_street, other_street, actor_as):
        published = publish(at_street, write(at_street))
        with tenant_context(other_street):
            actor = actor_as(other_street, Role.STREET_ADMINISTRATOR)
            draft = open_draft(actor=actor, published_id=published.pk)
            copy = ModelVersion.objects.get()
            assert draft.derived_from == copy
            assert (copy.author_id, copy.published_id) == (at_street.pk, published.pk)
            assert (copy.digest, copy.derived_from) == (published.digest, None)
            edit_draft(actor=actor, draft_id=draft.pk, values={MONTHS: 6})
            made = finish_draft(actor=actor, draft_id=draft.pk)
            assert (made.key, made.number, made.author_id) == ("chengnan", 1, other_street.pk)
            assert made.derived_from == copy

    def test_a_second_from_the_same_published_one_shares_the_copy(self, at_street, other_street):
        published = publish(at_street, write(at_street))
        with tenant_context(other_street):
            who = system_actor(other_street)
            one, two = (open_draft(actor=who, published_id=published.pk) for _ in range(2))
            assert one.derived_from == two.derived_from
            assert (ModelVersion.objects.count(), Draft.objects.count()) == (1, 2)

    @pytest.mark.parametrize(
        ("given", "field"),
        [({}, "key"), ({"key": "城南", "title": "x"}, "key"), ({"key": "a", "title": " "}, "title"),
         ({"key": "a"}, "title")],
    )  # fmt: skip
    def test_it_has_a_key_and_a_title(self, at_street, administrator, given, field):
        told = refusal(lambda: open_draft(actor=administrator, **given), at_street)
        assert (told.code, told.field) == ("VERSION_INVALID", field)

    def test_from_two_at_once_it_is_refused(self, at_street, administrator):
        version = write(at_street)
        both = {"version_id": version.pk, "published_id": publish(at_street, version).pk}
        told = refusal(lambda: open_draft(actor=administrator, **both), at_street)
        assert told.code == "ONE_VERSION"


class TestWriting:
    def test_the_whole_is_replaced_and_what_is_not_given_stays(self, draft, administrator):
        saved = save_draft(
            actor=administrator,
            draft_id=draft.pk,
            document={"partners": {}},
            notes="还没写完",
            expected_version=1,
        )
        saved.refresh_from_db()
        assert (saved.document, saved.bounds) == ({"partners": {}}, BOUNDS)
        assert (saved.title, saved.notes) == ("城南社区合伙人模式", "还没写完")
        assert saved.version == 2

    def test_the_second_of_two_is_told_who_was_first_and_when(
        self, draft, at_street, administrator, colleague
    ):
        with on_day(START):
            edit_draft(actor=colleague, draft_id=draft.pk, values={MONTHS: 6}, expected_version=1)
        for act in (
            lambda: save_draft(
                actor=administrator, draft_id=draft.pk, document={}, expected_version=1
            ),
            lambda: edit_draft(
                actor=administrator, draft_id=draft.pk, values={MONTHS: 9}, expected_version=1
            ),
            lambda: discard_draft(actor=administrator, draft_id=draft.pk, expected_version=1),
            lambda: finish_draft(actor=administrator, draft_id=draft.pk, expected_version=1),
        ):
            told = refusal(act, at_street)
            assert (told.code, told.field) == ("VERSION_CONFLICT", "expectedVersion")
            assert told.data["version"] == 2
            assert told.data["changed_by"] == colleague.person.name
            with override("en"):
                said = str(told.message)
            assert said.startswith(
                f"{colleague.person.name} changed this draft on 2024-01-01 12:00: it is at version "
                "2, not 1."
            )
        assert Draft.objects.get().document["partners"]["rent_free_months"] == 6

    def test_the_platform_is_named_where_it_was_nobody(self, at_street):
        draft = open_draft(actor=system_actor(at_street), key="new", title="新")
        told = refusal(
            lambda: edit_draft(
                actor=system_actor(at_street), draft_id=draft.pk, values={}, expected_version=7
            ),
            at_street,
        )
        with override("en"):
            assert str(told.message).startswith("The platform changed this draft on 20")

    def test_places_are_set_by_path_and_items_by_key(self, draft, administrator):
        values = {
            RATE: "0.04",
            "partners.kinds[department]": None,
            "partners.kinds[property]": {"key": "property", "title": {"zh": "物业"}},
            "partners.kinds[property].tier": "core",
            "services.price_classes[market].ceiling_fen": 5000,
        }
        edited = edit_draft(actor=administrator, draft_id=draft.pk, values=values)
        edited.refresh_from_db()
        partners = edited.document["partners"]
        assert partners["contributions"][0]["rate"] == "0.04"
        assert [kind["key"] for kind in partners["kinds"]][-2:] == ["skilled_resident", "property"]
        assert partners["kinds"][-1]["tier"] == "core"
        assert edited.document["services"]["price_classes"][2]["ceiling_fen"] == 5000

    def test_an_empty_draft_is_written_place_by_place_until_it_is_a_model(
        self, at_street, administrator
    ):
        draft = open_draft(actor=administrator, key="new", title="新模式")
        whole = document()
        for section, value in whole.items():
            edit_draft(actor=administrator, draft_id=draft.pk, values={section: value})
        draft.refresh_from_db()
        assert draft.version == 1 + len(whole)
        assert problems_of(draft, actor=administrator) == []
        assert (
            finish_draft(actor=administrator, draft_id=draft.pk).digest
            == write(at_street, bounds={}).digest
        )

    @pytest.mark.parametrize(
        ("values", "code", "field"),
        [
            ({"partners.rate": "0.04"}, "UNKNOWN_PATH", "partners.rate"),
            ({"partners.kinds[*].tier": "core"}, "UNKNOWN_PATH", "partners.kinds[*].tier"),
            ({"partners.kinds[none].tier": "core"}, "UNKNOWN_PATH", "partners.kinds[none].tier"),
            ({"partners.kinds[enterprise]": {"key": "e"}}, "KEY_CHANGED",
             "partners.kinds[enterprise]"),
            ([RATE], "NOT_BY_PATH", "values"),
            ({MONTHS: 12, "partners.rate": 1}, "UNKNOWN_PATH", "partners.rate"),
        ],
    )  # fmt: skip
    def test_a_place_that_cannot_be_is_refused(
        self, draft, at_street, administrator, values, code, field
    ):
        told = refusal(
            lambda: edit_draft(actor=administrator, draft_id=draft.pk, values=values), at_street
        )
        assert (told.code, told.field) == (code, field)

    @pytest.mark.parametrize(
        "given",
        [
            {"document": {}},
            {"document": {"parking": [1, "a", None, {"places": 3}]}},
            {"document": {"partners": "none yet"}},
            {"document": '{"fund": {"waterfall": [{"share": "3%"}, {"share": "3%"}]}}'},
            {"bounds": {"partners.rate": {"locked": True}}},
            {"bounds": {RATE: {"minimum": "0.9", "maximum": "0.1"}}},
            {"bounds": {RATE: {"locked": True, "minimum": [1]}}},
            {"bounds": {RATE: {}}},
        ],
    )
    def test_what_is_incomplete_or_wrong_is_kept_and_its_problems_can_be_asked_for(
        self, draft, at_street, administrator, given
    ):
        saved = save_draft(actor=administrator, draft_id=draft.pk, **given)
        saved.refresh_from_db()
        for name, value in given.items():
            assert getattr(saved, name) == (json.loads(value) if isinstance(value, str) else value)
        problems = problems_of(saved, actor=administrator)
        assert problems
        told = refusal(lambda: finish_draft(actor=administrator, draft_id=draft.pk), at_street)
        known = {(one.code, one.field, str(one.message)) for one in problems}
        assert {(one.code, one.field, str(one.message)) for one in told.faults} <= known

    @pytest.mark.parametrize(
        ("given", "code", "field"),
        [
            ({"document": '{"a": NaN}'}, "DOCUMENT_INVALID", "a"),
            ({"document": '{"a": 1, "a": 2}'}, "DOCUMENT_INVALID", "a"),
            ({"document": '{"a": ' * 40 + "1" + "}" * 40}, "DOCUMENT_INVALID", ".".join("a" * 32)),
            ({"document": "[]"}, "DOCUMENT_INVALID", None),
            ({"title": " "}, "VERSION_INVALID", "title"),
            ({"bounds": [RATE]}, "NOT_BY_PATH", "bounds"),
            ({"bounds": {f"a{i}": {"locked": True} for i in range(501)}}, "TOO_MANY_PLACES",
             "bounds"),
            ({"bounds": {"no path": {"locked": True}}}, "UNKNOWN_PATH", "no path"),
            ({"bounds": {RATE: 3}}, "BOUND_INVALID", RATE),
            ({"bounds": {RATE: {"least": 3}}}, "BOUND_INVALID", RATE),
            ({"bounds": {RATE: {"locked": 3}}}, "BOUND_INVALID", RATE),
            ({"bounds": {RATE: {"one_of": 3}}}, "BOUND_INVALID", RATE),
            ({"bounds": {RATE: {"one_of": [1] * 201}}}, "BOUND_INVALID", RATE),
            ({"bounds": {RATE: {"minimum": float("nan")}}}, "DOCUMENT_INVALID", None),
        ],
    )  # fmt: skip
    def test_only_what_cannot_be_kept_is_refused(
        self, draft, at_street, administrator, given, code, field
    ):
        told = refusal(
            lambda: save_draft(actor=administrator, draft_id=draft.pk, **given), at_street
        )
        assert told.code == code
        [fault] = told.faults
        assert field is None or fault.field == field

    def test_the_database_holds_the_sizes_too(self, draft):
        rows = Draft.objects.filter(pk=draft.pk)
        for change, name in (
            ({"document": {"a": "x" * sizes.DOCUMENT}}, "draft_document_size"),
            ({"bounds": {"a": "x" * sizes.DOCUMENT}}, "draft_bounds_size"),
            ({"notes": "x" * (sizes.TEXT + 1)}, "draft_notes_length"),
        ):
            with pytest.raises(IntegrityError, match=name), transaction.atomic():
                rows.update(**change)

    def test_what_changes_nothing_leaves_no_trace(self, draft, at_street, administrator):
        with rows_unchanged(at_street.schema_name):
            same = save_draft(
                actor=administrator, draft_id=draft.pk, document=draft.document, bounds=BOUNDS,
                title=draft.title, notes="", derived_from_id=draft.derived_from_id,
            )  # fmt: skip
            edit_draft(actor=administrator, draft_id=draft.pk, values={RATE: "0.03"})
            edit_draft(actor=administrator, draft_id=draft.pk, values={})
        assert same.version == 1

    def test_the_trail_tells_what_changed_by_path_and_not_the_whole(self, draft, administrator):
        edit_draft(actor=administrator, draft_id=draft.pk, values={RATE: "0.04", MONTHS: 12})
        [entry] = trail("models.edit_draft")
        assert entry.before == {"document": {RATE: "0.03", MONTHS: 18}}
        assert entry.after == {"document": {RATE: "0.04", MONTHS: 12}}
        changed = document()
        changed["partners"]["rent_free_months"] = 6
        changed["partners"]["contributions"][0]["rate"] = "0.04"
        save_draft(
            actor=administrator, draft_id=draft.pk, document=changed, title="二",
            bounds=BOUNDS | {MONTHS: {"maximum": 9}},
        )  # fmt: skip
        [entry] = trail("models.save_draft")
        assert entry.before == {
            "title": "城南社区合伙人模式", "document": {MONTHS: 12}, "bounds": {MONTHS: None},
        }  # fmt: skip
        assert entry.after == {
            "title": "二", "document": {MONTHS: 6}, "bounds": {MONTHS: {"maximum": 9}},
        }  # fmt: skip

    def test_of_two_items_with_one_key_a_change_is_not_overlooked(self, draft, administrator):
        one = {"kinds": [{"key": "a", "tier": "core"}, {"key": "a", "tier": "lead"}]}
        other = {"kinds": [{"key": "a", "tier": "lead"}, {"key": "a", "tier": "lead"}]}
        save_draft(actor=administrator, draft_id=draft.pk, document={"partners": one})
        save_draft(actor=administrator, draft_id=draft.pk, document={"partners": other})
        entry = trail("models.save_draft")[-1]
        assert entry.before == {"document": {"partners.kinds": one["kinds"]}}
        assert entry.after == {"document": {"partners.kinds": other["kinds"]}}

    def test_drafts_tell_no_events_but_the_version_does(self, draft, administrator):
        before = Event.objects.count()
        edit_draft(actor=administrator, draft_id=draft.pk, values={MONTHS: 6})
        assert Event.objects.count() == before
        finish_draft(actor=administrator, draft_id=draft.pk)
        event = Event.objects.latest("id")
        assert event.type == "model_version.written"
        assert event.data == {"key": "chengnan", "number": 2}


class TestProblems:
    def test_those_of_document_and_bounds_are_told_together_each_at_its_place(
        self, draft, administrator
    ):
        wrong = document(colour="red", rent_free_months="18")
        bounds = {RATE: {"minimum": "0.9", "maximum": "0.1"}}
        saved = save_draft(actor=administrator, draft_id=draft.pk, document=wrong, bounds=bounds)
        told = [(one.code, one.field) for one in problems_of(saved, actor=administrator)]
        assert told == [
            ("DOCUMENT_INVALID", MONTHS),
            ("DOCUMENT_INVALID", "partners.colour"),
            ("BOUND_INVALID", RATE),
        ]

    def test_bounds_that_do_not_fit_the_document(self, draft, administrator):
        bounds = {RATE: {"maximum": "0.02"}, "partners.rate": {"locked": True}}
        saved = save_draft(actor=administrator, draft_id=draft.pk, bounds=bounds)
        told = {(one.code, one.field) for one in problems_of(saved, actor=administrator)}
        assert told == {("UNKNOWN_PATH", "partners.rate")}
        saved = save_draft(
            actor=administrator, draft_id=draft.pk, bounds={RATE: {"maximum": "0.02"}}
        )
        told = {(one.code, one.field) for one in problems_of(saved, actor=administrator)}
        assert told == {("OUTSIDE_BOUNDS", RATE)}

    def test_bounds_of_what_cannot_stand_there(self, draft, administrator):
        every = "partners.contributions[*].{}".format
        bounds = {
            every("rates"): {"maximum": "0.05"},
            every("rate"): {"maximum": 5},
            DAY: {"one_of": [10, "十"]},
        }
        saved = save_draft(actor=administrator, draft_id=draft.pk, bounds=bounds)
        told = [(one.code, one.field) for one in problems_of(saved, actor=administrator)]
        assert sorted(told) == [
            ("BOUND_INVALID", DAY),
            ("BOUND_INVALID", every("rate")),
            ("UNKNOWN_PATH", every("rates")),
        ]

    def test_bounds_in_another_spelling_are_no_problem(self, draft, administrator):
        bounds = {DAY: {"one_of": ["10", "25"]}, RATE: {"maximum": "0.050"}}
        saved = save_draft(actor=administrator, draft_id=draft.pk, bounds=bounds)
        assert problems_of(saved, actor=administrator) == []

    def test_there_are_none_in_what_could_be_a_version(self, draft, administrator):
        assert problems_of(draft, actor=administrator) == []


class TestEnding:
    def test_finished_it_is_the_next_version_and_no_draft_any_more(self, draft, administrator):
        save_draft(actor=administrator, draft_id=draft.pk, notes="租期短了")
        edit_draft(actor=administrator, draft_id=draft.pk, values={MONTHS: 6})
        made = finish_draft(actor=administrator, draft_id=draft.pk, expected_version=3)
        made.refresh_from_db()
        assert (made.key, made.number, made.notes) == ("chengnan", 2, "租期短了")
        assert made.document["partners"]["rent_free_months"] == 6
        assert made.derived_from.number == 1
        assert Draft.objects.count() == 0
        [entry] = trail("models.finish_draft")
        assert (entry.object_id, entry.before["version"]) == (str(draft.pk), 3)
        assert entry.after == {"version_id": str(made.pk), "number": 2, "digest": made.digest}
        assert trail("models.write_version")[-1].object_id == str(made.pk)

    def test_it_is_the_same_version_as_when_written_in_one_step(self, draft, administrator):
        edit_draft(actor=administrator, draft_id=draft.pk, values={RATE: "0.040", MONTHS: 6})
        made = finish_draft(actor=administrator, draft_id=draft.pk, notes="说明")
        changed = document(rent_free_months=6)
        changed["partners"]["contributions"][0]["rate"] = "0.04"
        other = write_version(
            actor=administrator, key="other", title="x", document=changed, bounds=BOUNDS
        )
        assert (made.digest, made.document) == (other.digest, other.document)
        assert made.notes == "说明"

    def test_what_does_not_differ_is_no_version_and_stays_a_draft(
        self, draft, at_street, administrator
    ):
        told = refusal(lambda: finish_draft(actor=administrator, draft_id=draft.pk), at_street)
        assert told.code == "VERSION_UNCHANGED"

    def test_what_was_written_meanwhile_is_looked_at_first(self, draft, at_street, administrator):
        edit_draft(actor=administrator, draft_id=draft.pk, values={RATE: "0.04"})
        second = write(at_street, document(rent_free_months=6))
        told = refusal(lambda: finish_draft(actor=administrator, draft_id=draft.pk), at_street)
        assert (told.code, told.field) == ("DRAFT_BEHIND", "draftId")
        assert told.data["version_id"] == str(second.pk)
        assert "chengnan v2" in str(told.message)
        save_draft(actor=administrator, draft_id=draft.pk, derived_from_id=second.pk)
        made = finish_draft(actor=administrator, draft_id=draft.pk)
        assert (made.number, made.derived_from) == (3, second)

    def test_so_it_is_of_two_that_start_from_another_model(self, at_street, administrator):
        source = write(at_street)
        write(at_street, document(rent_free_months=1), key="own")
        first, second = (
            open_draft(actor=administrator, key="own", version_id=source.pk) for _ in range(2)
        )
        for draft, months in ((first, 6), (second, 7)):
            edit_draft(actor=administrator, draft_id=draft.pk, values={MONTHS: months})
        made = finish_draft(actor=administrator, draft_id=first.pk)
        told = refusal(lambda: finish_draft(actor=administrator, draft_id=second.pk), at_street)
        assert (told.code, told.data["version_id"]) == ("DRAFT_BEHIND", str(made.pk))
        save_draft(actor=administrator, draft_id=second.pk, derived_from_id=made.pk)
        assert finish_draft(actor=administrator, draft_id=second.pk).number == 3

    def test_so_it_is_where_there_was_none(self, at_street, administrator):
        draft = open_draft(actor=administrator, key="chengnan", title="城南")
        save_draft(actor=administrator, draft_id=draft.pk, document=document(rent_free_months=1))
        write(at_street)
        told = refusal(lambda: finish_draft(actor=administrator, draft_id=draft.pk), at_street)
        assert told.code == "DRAFT_BEHIND"

    def test_another_model_written_meanwhile_is_no_matter(self, draft, at_street, administrator):
        write(at_street, key="gongsheng")
        edit_draft(actor=administrator, draft_id=draft.pk, values={RATE: "0.04"})
        assert finish_draft(actor=administrator, draft_id=draft.pk).number == 2

    def test_discarded_it_stands_whole_in_the_trail(self, draft, administrator):
        held = draft.document
        discard_draft(actor=administrator, draft_id=draft.pk, reason="不写了", expected_version=1)
        assert Draft.objects.count() == 0
        [entry] = trail("models.discard_draft")
        assert (entry.before["document"], entry.before["bounds"]) == (held, BOUNDS)
        assert (entry.after, entry.reason) == (None, "不写了")
        assert ModelVersion.objects.count() == 1

    def test_what_has_ended_is_not_there(self, draft, at_street, administrator):
        discard_draft(actor=administrator, draft_id=draft.pk)
        for act in (discard_draft, finish_draft, save_draft):
            told = refusal(lambda act=act: act(actor=administrator, draft_id=draft.pk), at_street)
            assert (told.code, told.field) == ("NOT_FOUND", "draftId")


class TestWho:
    @pytest.mark.parametrize("role", [Role.COMMUNITY_SECRETARY, Role.AUDITOR])
    def test_only_who_may_author_writes_drafts_and_sees_them(
        self, draft, at_street, actor_as, role
    ):
        actor = actor_as(at_street, role)
        for act in (
            lambda: open_draft(actor=actor, key="new", title="新"),
            lambda: save_draft(actor=actor, draft_id=draft.pk, document={}),
            lambda: edit_draft(actor=actor, draft_id=draft.pk, values={}),
            lambda: discard_draft(actor=actor, draft_id=draft.pk),
            lambda: finish_draft(actor=actor, draft_id=draft.pk),
        ):
            with rows_unchanged(at_street.schema_name), pytest.raises(Forbidden):
                act()
        assert list(drafts(actor=actor)) == []

    def test_another_tenants_draft_and_version_are_not_there(self, draft, at_street, other_street):
        version = draft.derived_from
        with tenant_context(other_street):
            who = system_actor(other_street)
            own = open_draft(actor=who, key="new", title="新")
            for act in (
                lambda: save_draft(actor=who, draft_id=draft.pk, document={}),
                lambda: edit_draft(actor=who, draft_id=draft.pk, values={}),
                lambda: discard_draft(actor=who, draft_id=draft.pk),
                lambda: finish_draft(actor=who, draft_id=draft.pk),
                lambda: open_draft(actor=who, version_id=version.pk),
                lambda: save_draft(actor=who, draft_id=own.pk, derived_from_id=version.pk),
            ):
                with rows_unchanged(other_street.schema_name), pytest.raises(NotFound):
                    act()


class TestWrittenFrom:
    def test_the_next_number_is_written_from_the_last(self, at_street):
        first, second = write(at_street), write(at_street, document(rent_free_months=1))
        assert (first.derived_from, second.derived_from) == (None, first)
        [_one, entry] = trail("models.write_version")
        assert entry.after["derived_from_id"] == str(first.pk)

    def test_or_from_the_one_that_is_named(self, at_street, administrator):
        source = write(at_street)
        other = write_version(
            actor=administrator, key="gongsheng", title="工盛", document=document(), bounds={},
            derived_from_id=source.pk,
        )  # fmt: skip
        assert (other.number, other.derived_from) == (1, source)

    def test_which_has_to_be_here(self, at_street, other_street, administrator):
        source = write(at_street)
        with tenant_context(other_street):
            told = refusal(
                lambda: write_version(
                    actor=system_actor(other_street), key="a", title="x", document=document(),
                    bounds={}, derived_from_id=source.pk,
                ),
                other_street,
            )  # fmt: skip
        assert (told.code, told.field) == ("NOT_FOUND", "derivedFromId")
