"""Several people at one draft at the same moment, and a process that dies at its end: one wins
cleanly, nothing is lost, and what is done is done once."""

import signal

from linli.accounts.policy import system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.drafts import edit_draft, finish_draft, open_draft, save_draft
from tenants.operating_model.models import Draft, ModelVersion

from .conftest import BOUNDS, MONTHS, document, trail, write
from .test_at_once import EIGHT, at_once

DYING = """
import os, signal, sys
import django
django.setup()
from linli.accounts.policy import system_actor
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model import drafts
from tenants.operating_model.models import Draft

draft, moment = sys.argv[1:]
dies = lambda *args, **options: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before":
    Draft.delete = dies
street = Tenant.objects.get(slug="chezhan")
with tenant_context(street):
    drafts.finish_draft(actor=system_actor(street), draft_id=draft, expected_version=2)
dies()
"""


def begun():
    """Chezhan's draft of version 2, changed once."""
    street = Tenant.objects.get(slug="chezhan")
    who = system_actor(street)
    with tenant_context(street):
        draft = open_draft(actor=who, version_id=write(street).pk)
        edit_draft(actor=who, draft_id=draft.pk, values={MONTHS: 6})
    return street, who, draft.pk


def test_of_eight_who_save_what_they_saw_one_wins_and_seven_are_told(scratch_database):
    street, who, draft = begun()

    def work(i):
        whole = document(rent_free_months=30 + i)
        given = {"draft_id": draft, "expected_version": 2}
        if i % 2:
            return edit_draft(actor=who, values={MONTHS: 30 + i}, **given).version
        return save_draft(actor=who, document=whole, **given).version

    answers = at_once(street, work)

    assert sorted(answers, key=str) == [3] + ["VERSION_CONFLICT"] * (EIGHT - 1)
    with tenant_context(street):
        kept = Draft.objects.get()
        assert kept.version == 3
        assert kept.document["partners"]["rent_free_months"] == 30 + answers.index(3)


def test_edits_of_other_places_without_a_version_are_all_kept(scratch_database):
    street, who, draft = begun()

    def work(i):
        item = {"key": f"use_{i}", "title": {"zh": f"用途{i}"}}
        values = {f"fund.uses[use_{i}]": item}
        return edit_draft(actor=who, draft_id=draft, values=values).version

    assert sorted(at_once(street, work)) == list(range(3, 3 + EIGHT))
    with tenant_context(street):
        uses = {use["key"] for use in Draft.objects.get().document["fund"]["uses"]}
        assert {f"use_{i}" for i in range(EIGHT)} <= uses


def test_finished_by_eight_at_once_it_is_one_version(scratch_database):
    street, who, draft = begun()

    answers = at_once(street, lambda i: finish_draft(actor=who, draft_id=draft).number)

    assert sorted(answers, key=str) == [2] + ["NOT_FOUND"] * (EIGHT - 1)
    with tenant_context(street):
        assert (ModelVersion.objects.count(), Draft.objects.count()) == (2, 0)


def test_an_edit_is_in_the_version_or_is_told_that_the_draft_has_ended(scratch_database):
    street, who, draft = begun()

    def work(i):
        if i == 0:
            finish_draft(actor=who, draft_id=draft)
            return None
        return edit_draft(actor=who, draft_id=draft, values={MONTHS: 30 + i}).version

    answers = at_once(street, work)

    with tenant_context(street):
        [made] = ModelVersion.objects.filter(number=2)
        months = made.document["partners"]["rent_free_months"]
    done = {version: 30 + i for i, version in enumerate(answers) if isinstance(version, int)}
    assert months == (done[max(done)] if done else 6)
    assert set(answers) - set(done) <= {None, "NOT_FOUND"}


def test_a_version_written_beside_it_and_the_draft_come_one_after_the_other(scratch_database):
    street, who, draft = begun()

    def work(i):
        if i == 0:
            return finish_draft(actor=who, draft_id=draft).number
        return write(street, document(rent_free_months=40 + i), BOUNDS).number

    answers = at_once(street, work)

    with tenant_context(street):
        numbers = list(ModelVersion.objects.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        # It was first, or it was told that something was written meanwhile.
        assert answers[0] in (2, "DRAFT_BEHIND")
        assert Draft.objects.count() == (answers[0] == "DRAFT_BEHIND")


def test_killed_before_the_commit_the_draft_is_as_it_was_and_can_be_finished(scratch_database):
    street, who, draft = begun()

    died = scratch_database.run("-c", DYING, str(draft), "before", login="app")

    assert died.returncode == -signal.SIGKILL, died.stderr
    with tenant_context(street):
        assert (ModelVersion.objects.count(), Draft.objects.get().version) == (1, 2)
        assert trail("models.finish_draft") == []
        assert finish_draft(actor=who, draft_id=draft, expected_version=2).number == 2


def test_killed_after_the_commit_the_version_is_there_and_is_not_made_again(scratch_database):
    street, who, draft = begun()

    died = scratch_database.run("-c", DYING, str(draft), "after", login="app")

    assert died.returncode == -signal.SIGKILL, died.stderr
    again = at_once(street, lambda i: finish_draft(actor=who, draft_id=draft).number)
    assert again == ["NOT_FOUND"] * EIGHT
    with tenant_context(street):
        assert (ModelVersion.objects.count(), Draft.objects.count()) == (2, 0)
        assert ModelVersion.objects.get(number=2).document["partners"]["rent_free_months"] == 6
        assert len(trail("models.finish_draft")) == 1
