"""M4: a published version is taken back: nobody adopts it from then on, and whoever runs it keeps it."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from django.db import ProgrammingError, connection, connections, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.policy import Role, system_actor
from linli.errors import Forbidden, NotFound, Refused
from linli.events.models import Event as Told
from linli.library.models import AdoptionRecord, PublishedVersion
from linli.library.selectors import published_versions
from linli.registry.models import Tenant
from linli.tenancy.context import public_context, tenant_context
from tenants.operating_model.actions import adopt_version, withdraw_version
from tenants.operating_model.drafts import open_draft
from tenants.operating_model.jobs import tell_withdrawn_to
from tenants.operating_model.models import Adoption, ModelVersion
from tenants.operating_model.selectors import (
    effective_rules,
    preview_adoption,
    publication_by_version,
)
from tenants.operating_model.upgrades import apply_upgrade, open_upgrade

from .conftest import (
    MONTHS,
    START,
    TODAY,
    TOMORROW,
    adopt,
    document,
    nothing_written,
    publish,
    trail,
    write,
)

WHY = "比例算错了，请用第二版"


def withdraw(tenant, version, reason=WHY):
    return withdraw_version(actor=system_actor(tenant), version_id=version.pk, reason=reason)


def take(tenant, published, since=START):
    return adopt_version(
        actor=system_actor(tenant), published_id=published.pk, effective_from=since
    )


def streets():
    return [Tenant.objects.get(slug=slug) for slug in ("chezhan", "wenshao")]


class TestAtTheSameMoment:
    """Two connections, held in the middle: whoever comes second waits, and is then told the truth."""

    def held(self, tenant, work, entered: Event, leave: Event):
        try:
            with tenant_context(tenant), transaction.atomic():
                done = work()
                entered.set()
                assert leave.wait(timeout=30)
            return done
        finally:
            connections.close_all()

    def alone(self, tenant, work):
        try:
            with tenant_context(tenant):
                return work()
        except Refused as refused:
            return refused.code
        finally:
            connections.close_all()

    def second_waits_for_first(self, first, second):
        """The answers of both; the second is seen waiting for the first one's row."""
        entered, leave = Event(), Event()
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(self.held, *first, entered, leave)
            try:
                assert entered.wait(timeout=30)
                other = pool.submit(self.alone, *second)
                until = time.monotonic() + 30
                while not waiting() and time.monotonic() < until and not other.done():
                    time.sleep(0.01)
                assert not other.done()
            finally:
                leave.set()
            return one.result(timeout=30), other.result(timeout=30)

    @pytest.fixture
    def published(self, scratch_database):
        author, _adopter = streets()
        with tenant_context(author):
            version = write(author)
            return version, publish(author, version)

    def test_withdrawn_first_it_is_not_adopted(self, published):
        (author, adopter), (version, shelved) = streets(), published

        _withdrawn, answer = self.second_waits_for_first(
            (author, lambda: withdraw(author, version)), (adopter, lambda: take(adopter, shelved))
        )

        assert answer == "WITHDRAWN"
        with tenant_context(adopter):
            assert (ModelVersion.objects.count(), Adoption.objects.count()) == (0, 0)
        assert AdoptionRecord.objects.count() == 0

    def test_adopted_first_it_is_kept_and_told_of(self, published):
        (author, adopter), (version, shelved) = streets(), published

        adopted, _withdrawn = self.second_waits_for_first(
            (adopter, lambda: take(adopter, shelved)), (author, lambda: withdraw(author, version))
        )

        assert PublishedVersion.objects.get().is_withdrawn
        with tenant_context(adopter):
            assert Adoption.objects.get() == adopted
            assert effective_rules(TODAY).value(MONTHS) == 18
        [job] = ProcrastinateJob.objects.filter(task_name__endswith="tell_withdrawn_to")
        assert job.args == {"tenant_id": str(adopter.pk), "published_id": str(shelved.pk)}

    def test_withdrawn_first_an_open_upgrade_is_not_applied(self, published):
        (author, adopter), (_version, shelved) = streets(), published
        with tenant_context(author):
            second = write(author, document(rent_free_months=6))
            later = publish(author, second)
        with tenant_context(adopter):
            take(adopter, shelved)
            actor = system_actor(adopter)
            opened = open_upgrade(actor=actor, published_id=later.pk, effective_from=TODAY)

        _withdrawn, answer = self.second_waits_for_first(
            (author, lambda: withdraw(author, second)),
            (adopter, lambda: apply_upgrade(actor=actor, upgrade_id=opened.pk)),
        )

        assert answer == "WITHDRAWN"

    def test_two_that_adopt_do_not_wait_for_each_other(self, published):
        _author, adopter = streets()
        other = Tenant.objects.get(slug="datong")
        _version, shelved = published
        entered, leave = Event(), Event()

        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(self.held, adopter, lambda: take(adopter, shelved), entered, leave)
            try:
                assert entered.wait(timeout=30)
                second = pool.submit(self.alone, other, lambda: take(other, shelved))
                assert second.result(timeout=20).version.key == "chengnan"
            finally:
                leave.set()
            one.result(timeout=30)


def waiting() -> bool:
    """Whether anybody in this database waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock')"
        )
        return cursor.fetchone()[0]


@pytest.fixture
def shelved(running, at_street):
    return publish(at_street, running)


@pytest.fixture
def adopted(shelved, other_street):
    with tenant_context(other_street):
        return take(other_street, shelved)


def test_it_is_recorded_and_told_with_its_reason(at_street, running, shelved, administrator):
    withdraw_version(actor=administrator, version_id=running.pk, reason=f" {WHY} ")

    shelved.refresh_from_db()
    assert (shelved.is_withdrawn, shelved.withdrawal_reason, shelved.version) == (True, WHY, 2)
    [here] = trail("models.withdraw_version")
    with public_context():
        [entry] = trail("library.withdraw")
    for one in (here, entry):
        assert (one.person_id, one.reason) == (administrator.person_id, WHY)
    told = Told.objects.get(type="model_version.withdrawn")
    assert (told.object_id, told.data) == (running.pk, {"key": "chengnan", "number": 1})


def test_nobody_adopts_it_any_more(at_street, running, shelved, other_street):
    withdraw(at_street, running)

    with tenant_context(other_street):
        with nothing_written(), pytest.raises(Refused) as refused:
            take(other_street, shelved)
        assert (refused.value.code, refused.value.field) == ("WITHDRAWN", "publishedId")
        assert WHY in str(refused.value.message)
        preview = preview_adoption(
            actor=system_actor(other_street), published_id=shelved.pk, effective_from=START
        )
        assert [problem.code for problem in preview.problems] == ["WITHDRAWN"]


def test_nobody_begins_a_draft_of_it_who_never_ran_it(
    at_street, running, shelved, other_street, other_city, adopted
):
    withdraw(at_street, running)

    with tenant_context(other_street):
        draft = open_draft(actor=system_actor(other_street), published_id=shelved.pk)
        assert draft.document == running.document
    with tenant_context(other_city):
        with nothing_written(), pytest.raises(Refused) as refused:
            open_draft(actor=system_actor(other_city), published_id=shelved.pk)
        assert refused.value.code == "WITHDRAWN"


def test_who_runs_it_keeps_it_and_may_go_on_adapting_it(
    at_street, running, shelved, other_street, adopted
):
    withdraw(at_street, running)

    with tenant_context(other_street):
        again = adopt_version(
            actor=system_actor(other_street),
            published_id=shelved.pk,
            effective_from=TODAY,
            values={MONTHS: 12},
        )
        assert again.version == adopted.version
        assert effective_rules(TODAY).value(MONTHS) == 12


def test_who_has_left_it_does_not_come_back(at_street, running, shelved, other_street, adopted):
    withdraw(at_street, running)

    with tenant_context(other_street):
        adopt(other_street, write(other_street, document(rent_free_months=6)), since=TODAY)
        with nothing_written(), pytest.raises(Refused) as refused:
            adopt(other_street, adopted.version, since=TOMORROW)
    assert refused.value.code == "WITHDRAWN"


def test_its_author_may_go_on_with_it(at_street, running, shelved):
    withdraw(at_street, running)
    adopt(at_street, write(at_street, document(rent_free_months=6)), since=TODAY)

    assert adopt(at_street, running, since=TODAY + timedelta(days=2)).version == running


def test_who_runs_it_is_told_by_an_event_and_on_the_version(
    at_street, running, shelved, other_street, adopted
):
    withdraw(at_street, running)
    tell_withdrawn_to(tenant_id=str(other_street.pk), published_id=str(shelved.pk))

    with tenant_context(other_street):
        [told] = Told.objects.filter(type="model_version.withdrawn")
        assert told.object_id == adopted.version_id
        reader = system_actor(other_street)
        shown = publication_by_version([adopted.version], reader)[adopted.version_id]
        assert shown["withdrawal_reason"] == WHY
        assert shown["published_id"] == shelved.pk


def test_it_stays_readable_and_is_marked(at_street, running, shelved, other_city, actor_as):
    withdraw(at_street, running)

    reader = actor_as(None, Role.CITY_SUPERVISOR, held_at=other_city)
    with public_context():
        assert [one.is_withdrawn for one in published_versions(actor=reader)] == [True]


@pytest.mark.parametrize("reason", ["", "  ", "\u200b"])
def test_a_reason_is_given(at_street, running, shelved, reason):
    with nothing_written(), pytest.raises(Refused) as refused:
        withdraw(at_street, running, reason)
    assert (refused.value.code, refused.value.field) == ("REASON_MISSING", "reason")


def test_it_is_withdrawn_once_by_its_author_alone(
    at_street, running, shelved, other_street, adopted, actor_as
):
    with nothing_written(), pytest.raises(Forbidden):
        withdraw_version(actor=actor_as(at_street, Role.AUDITOR), version_id=running.pk, reason=WHY)
    with tenant_context(other_street):
        with nothing_written(), pytest.raises(Refused) as refused:
            withdraw(other_street, adopted.version)
        assert refused.value.code == "NOT_THE_AUTHOR"
        with nothing_written(), pytest.raises(NotFound):
            withdraw(other_street, running)
    unpublished = write(at_street, document(rent_free_months=6))
    with nothing_written(), pytest.raises(Refused) as refused:
        withdraw(at_street, unpublished)
    assert refused.value.code == "NOT_PUBLISHED"
    withdraw(at_street, running)
    with nothing_written(), pytest.raises(Refused) as refused:
        withdraw(at_street, running)
    assert refused.value.code == "WITHDRAWN"


@pytest.mark.parametrize("column", ["document", "evidence", "title", "author_id", "case_text"])
def test_nothing_else_of_it_can_be_changed(at_street, shelved, column):
    value = getattr(shelved, column)
    with (
        public_context(),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        PublishedVersion.objects.filter(pk=shelved.pk).update(**{column: value})
