"""Deliveries by the real process to real receivers: signed, in order, retried, never lost."""

import hmac
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from hashlib import sha256
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from linli.accounts.models import Person
from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.due.models import Due
from linli.errors import Refused
from linli.events import actions, jobs, replays
from linli.events.deliveries import forget_old
from linli.events.models import Delivery, WebhookEndpoint
from linli.events.secrets import HEADER
from linli.events.sequencing import one_at_a_time, sequence
from linli.ids import encode
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.evolution.http import WEBHOOK
from tenants.communities.actions import add_community, update_community
from tenants.communities.facts import state_fact
from tenants.communities.models import Community
from tests.support.deliverers import delivering, start
from tests.support.receivers import receiver
from tests.support.shapes import misfits

State = Delivery.State


def communities(system, count: int) -> list[Community]:
    return [
        add_community(actor=system, name=f"{number}社区", opened_on=date(2024, 1, 1))
        for number in range(count)
    ]


def settled(count: int, state: str = State.DELIVERED, seconds: float = 60) -> list[Delivery]:
    """Waits until that many deliveries stand so."""
    deadline = time.monotonic() + seconds
    while len(found := list(Delivery.objects.filter(state=state).order_by("position"))) < count:
        assert time.monotonic() < deadline, list(Delivery.objects.values("state", "log"))
        time.sleep(0.02)
    return found


def test_an_event_comes_signed_by_each_live_secret(
    scratch_database, system, community, endpoint, happen
):
    with receiver() as r, delivering(scratch_database):
        made, first = endpoint(r.url)
        _made, second = actions.add_secret(actor=system, endpoint_id=made.pk)
        event = happen(community, "residents")
        [got] = r.wait_for(1)
        [delivery] = settled(1)

    promised = {one.name for one in WEBHOOK}
    assert got.headers.keys() - {"Host", "Content-Length", "Accept", "Connection"} == promised
    assert got.headers["Linli-Event"] == "community.updated"
    assert got.headers["Linli-Delivery"] == encode("WebhookDelivery", delivery.pk)
    timestamp, *marks = got.headers[HEADER].split(",")
    signed = f"{timestamp.removeprefix('t=')}.".encode() + got.body
    assert marks == [
        "v1=" + hmac.new(secret.encode(), signed, sha256).hexdigest() for secret in (first, second)
    ]
    assert abs(int(timestamp.removeprefix("t=")) - got.at) < 60
    assert got.event["id"] == encode("Event", event.pk)
    assert got.event["object"] == {"type": "Community", "id": encode("Community", community.pk)}
    assert got.event["data"] == {"changed": ["residents"]}
    [attempt] = delivery.log
    assert (attempt["status"], attempt["failure"]) == (200, None)


def test_the_events_of_an_object_come_in_order_though_some_fail(
    scratch_database, system, endpoint, happen, community
):
    failures = defaultdict(int)

    def fails_the_first_time(_handler, got):
        failures[got.event["id"]] += 1
        return 500 if failures[got.event["id"]] == 1 and got.event["position"] % 3 == 0 else 200

    towns = communities(system, 4)
    with receiver(fails_the_first_time) as r, delivering(scratch_database):
        endpoint(r.url)
        for _round in range(6):
            for one in towns:
                happen(one)
        settled(24)

    for one in towns:
        delivered = [
            got.event["position"]
            for got in r.got
            if got.event["object"]["id"] == encode("Community", one.pk)
        ]
        assert list(dict.fromkeys(delivered)) == sorted(set(delivered))
        # The next never came before the one that failed had been delivered.
        assert delivered == sorted(delivered)
        assert len(set(delivered)) == 6


class TestRetries:
    @pytest.mark.parametrize("status", [400, 401, 404, 410, 422])
    def test_a_refusal_is_not_tried_again_and_the_next_event_goes(
        self, scratch_database, community, endpoint, happen, status
    ):
        with receiver(lambda _h, got: status) as r, delivering(scratch_database):
            endpoint(r.url)
            happen(community)
            happen(community)
            first, second = settled(2, State.GIVEN_UP)

        assert [got.event["position"] for got in r.got] == [first.position, second.position]
        assert [entry["status"] for entry in first.log] == [status]

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_others_are_tried_again(self, scratch_database, community, endpoint, happen, status):
        answers = iter([status, 200])
        with receiver(lambda _h, got: next(answers)) as r, delivering(scratch_database):
            endpoint(r.url)
            happen(community)
            [delivery] = settled(1)

        assert [entry["status"] for entry in delivery.log] == [status, 200]
        assert [entry["failure"] for entry in delivery.log] == ["status", None]
        assert len(r.got) == 2

    def test_a_redirect_is_a_failure_and_is_not_followed(
        self, scratch_database, community, endpoint, happen
    ):
        with receiver() as elsewhere:

            def redirects(handler, got):
                handler.send_response(307)
                handler.send_header("Location", elsewhere.url)
                handler.send_header("Content-Length", "0")
                handler.end_headers()

            with receiver(redirects) as r, delivering(scratch_database, attempts=2):
                endpoint(r.url)
                happen(community)
                [delivery] = settled(1, State.GIVEN_UP)

        assert [entry["failure"] for entry in delivery.log] == ["redirect"] * 2
        assert elsewhere.got == []

    def test_retry_after_is_waited_for(self, scratch_database, community, endpoint, happen):
        def later(handler, got):
            if len(r.got):
                return 200
            handler.send_response(429)
            handler.send_header("Retry-After", "2")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return None

        with receiver(later) as r, delivering(scratch_database):
            endpoint(r.url)
            happen(community)
            settled(1)

        first, second = r.got
        assert second.at - first.at >= 2

    def test_it_is_given_up_after_the_last_attempt(
        self, scratch_database, community, endpoint, happen
    ):
        with receiver(lambda _h, got: 500) as r, delivering(scratch_database, attempts=3):
            endpoint(r.url)
            happen(community)
            [delivery] = settled(1, State.GIVEN_UP)

        assert (delivery.attempts, len(delivery.log), len(r.got)) == (3, 3, 3)

    def test_a_receiver_that_hangs_or_is_not_there_is_a_failure(
        self, scratch_database, community, endpoint, happen
    ):
        def hangs(handler, got):
            time.sleep(2)
            return 200

        with receiver(hangs) as r:
            hanging, _ = endpoint(r.url)
            gone, _ = endpoint("http://127.0.0.1:9/hook")
            with delivering(scratch_database, attempts=1, total_ms=500):
                happen(community)
                settled(2, State.GIVEN_UP)

        reasons = {d.endpoint_id: d.log[0]["failure"] for d in Delivery.objects.all()}
        assert reasons == {hanging.pk: "timeout", gone.pk: "connection"}


class TestKilled:
    """SIGKILL anywhere: what was committed is delivered, at least once and in order."""

    def test_before_it_was_sequenced(self, scratch_database, community, endpoint, happen):
        with receiver() as r:
            endpoint(r.url)
            happen(community)  # nobody listens, so nobody hears of it
            happen(community)
            assert not Delivery.objects.exists()
            with delivering(scratch_database):
                settled(2)
        assert r.positions() == sorted(r.positions())

    def test_a_notice_that_is_lost_is_made_good_by_the_sweep(
        self, scratch_database, community, endpoint, happen, monkeypatch
    ):
        monkeypatch.setattr("linli.events.emit.CHANNEL", "nobody_listens_here")
        with receiver() as r:
            endpoint(r.url)
            with delivering(scratch_database, sweep_seconds=1):
                time.sleep(2)  # the first sweep is over
                happen(community)
                r.wait_for(1)

    def test_between_sending_and_marking(self, scratch_database, community, endpoint, happen):
        """The receiver kills the deliverer while it answers."""
        killed = []

        def kills(handler, got):
            if not killed:
                killed.append(got.event["position"])
                process.kill()
                process.wait()
            return 200

        with receiver(kills) as r:
            endpoint(r.url)
            process = start(scratch_database, lease_ms=3_000, total_ms=1_000)
            first, second = happen(community), happen(community)
            while process.poll() is None:
                time.sleep(0.02)
            assert not Delivery.objects.filter(state=State.DELIVERED).exists()
            with delivering(scratch_database, lease_ms=3_000, total_ms=1_000):
                settled(2)

        ids = [got.event["id"] for got in r.got]
        assert ids == [encode("Event", one.pk) for one in (first, first, second)]

    def test_stopped_it_finishes_what_is_under_way(
        self, scratch_database, community, endpoint, happen
    ):
        def slow(handler, got):
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            return 200

        with receiver(slow) as r:
            endpoint(r.url)
            process = start(scratch_database)
            happen(community)
            assert process.wait(30) == 0
        assert len(r.got) == 1
        assert Delivery.objects.get().state == State.DELIVERED


def test_two_deliverers_do_not_double_the_work(
    scratch_database, system, community, endpoint, happen
):
    with receiver() as r:
        endpoint(r.url)
        for one in communities(system, 100):
            happen(one)
        with delivering(scratch_database), delivering(scratch_database):
            for one in communities(system, 50):
                happen(one)
            settled(150)

    assert len(r.got) == 150
    assert len({got.event["id"] for got in r.got}) == 150


def test_endpoints_that_hang_after_they_had_proven_themselves_hold_up_no_other(
    scratch_database, system, endpoint
):
    """Their windows together are more than there are threads."""
    hung, let_go, hanging = threading.Event(), threading.Event(), list[int]()

    def answer(_handler, _got) -> int:
        if hung.is_set():
            hanging.append(1)
            let_go.wait(60)
        return 200

    with receiver(answer) as crowd, receiver() as good:
        for _ in range(19):
            endpoint(crowd.url)
        endpoint(good.url, ["fact.stated"])
        with delivering(scratch_database, total_ms=30_000):
            for one in communities(system, 12):  # each sends to all of them, whose windows open
                update_community(actor=system, community_id=one.pk, residents=1)
            crowd.wait_for(19 * 12)
            settled(19 * 12)
            hung.set()
            for one in Community.objects.all():
                update_community(actor=system, community_id=one.pk, residents=2)
            before = -1
            while len(hanging) > before:  # as many as there may be
                before = len(hanging)
                time.sleep(1)
            assert before >= 19
            state_fact(
                actor=system,
                community_id=None,
                key="markets.this_year",
                value={"held": 11},
                source="日报",
            )
            good.wait_for(1, seconds=5)
            let_go.set()


class TestALongTransaction:
    """As a request with an Idempotency-Key makes one of all its mutations."""

    @staticmethod
    @contextmanager
    def held(tenant: Tenant) -> Iterator[None]:
        """Somebody else has a transaction open that keeps others from settling in the tenant."""
        has_it, enough = threading.Event(), threading.Event()

        def hold() -> None:
            with tenant_context(tenant), one_at_a_time():
                has_it.set()
                enough.wait(60)
            connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        try:
            assert has_it.wait(60)
            yield
        finally:
            enough.set()
            thread.join()

    def test_other_tenants_notice_nothing(
        self, scratch_database, committed, community, endpoint, happen
    ):
        other = Tenant.objects.get(slug="wenshao")
        with receiver() as mine, receiver() as theirs:
            endpoint(mine.url)
            with tenant_context(other):
                system = system_actor(other)
                actions.create_endpoint(actor=system, url=theirs.url, types=["community.added"])
            # All that a deliverer does with a tenant is tried meanwhile, the sweep too.
            with delivering(scratch_database, sweep_seconds=0):
                with self.held(committed):
                    first, second = happen(community, "first"), happen(community, "second")
                    with tenant_context(other):
                        for count, name in enumerate(("东社区", "西社区", "南社区"), 1):
                            add_community(actor=system, name=name, opened_on=date(2024, 1, 1))
                            theirs.wait_for(count, seconds=20)
                    assert mine.got == []
                mine.wait_for(2)
                settled(2)

        # Nothing of the one that had to wait is lost, or out of order.
        assert [got.event["id"] for got in mine.got] == [
            encode("Event", event.pk) for event in (first, second)
        ]

    def test_what_was_sent_before_it_is_settled_after_it(
        self, scratch_database, committed, community, endpoint, happen
    ):
        arrived, answer = threading.Event(), threading.Event()

        def waits(_handler, _got):
            arrived.set()
            answer.wait(1.5)
            return 200

        with receiver(waits) as r, delivering(scratch_database):
            endpoint(r.url)
            happen(community)
            assert arrived.wait(60)
            with self.held(committed):
                answer.set()
                r.wait_for(1)
                time.sleep(0.5)  # it is tried meanwhile
            [delivery] = settled(1)
        assert len(r.got) == len(delivery.log) == 1

    def test_a_test_event_makes_none(self, system, endpoint):
        made, _ = endpoint("http://127.0.0.1:9/")
        with transaction.atomic():
            actions.send_test(actor=system, endpoint_id=made.pk)
            numbered = []

            def another() -> None:
                with tenant_context(system.tenant):
                    numbered.append(sequence(system.tenant.pk))
                connection.close()

            thread = threading.Thread(target=another)
            thread.start()
            thread.join(20)
            assert numbered, "the deliverer waits for who sent a test"


class TestPausing:
    def test_an_endpoint_that_fails_for_long_is_paused_with_notice(
        self, scratch_database, system, community, endpoint, happen
    ):
        with receiver(lambda _h, got: 500) as bad, receiver() as watcher:
            failing, _ = endpoint(bad.url)
            endpoint(watcher.url, ["webhook.paused"])
            with delivering(scratch_database, pause_after=1_000):
                happen(community)
                [told] = watcher.wait_for(1)
            assert misfits(told.event) == []

            failing.refresh_from_db()
            assert failing.state == WebhookEndpoint.State.FAILING
            assert told.event["object"]["id"] == encode("WebhookEndpoint", failing.pk)
            assert told.event["data"]["failingSince"] == failing.failing_since.isoformat()
            assert Entry.objects.filter(action="webhooks.failing", object_id=failing.pk).exists()
            tried = len(bad.got)

            # What happens meanwhile waits, and goes out when it is resumed.
            bad.answer = lambda _h, got: 200
            happen(community)
            with delivering(scratch_database):
                time.sleep(2)
                assert len(bad.got) == tried
                actions.resume_endpoint(actor=system, endpoint_id=failing.pk)
                settled(3)
        assert bad.positions() == sorted(bad.positions())

    def test_what_had_failed_is_sent_at_once_when_it_is_resumed(
        self, scratch_database, system, community, endpoint, happen
    ):
        with receiver(lambda _h, got: 500) as r:
            made, _ = endpoint(r.url)
            happen(community)
            with delivering(scratch_database):
                r.wait_for(1)
            actions.pause_endpoint(actor=system, endpoint_id=made.pk)
            later = timezone.now() + timedelta(hours=5)
            Delivery.objects.filter(endpoint=made).update(next_at=later, attempts=20)
            r.answer = lambda _h, got: 200
            happen(community)
            actions.resume_endpoint(actor=system, endpoint_id=made.pk)
            with delivering(scratch_database):
                first, second = settled(2, seconds=20)
        assert r.positions()[-2:] == [first.position, second.position]

    def test_who_manages_webhooks_gets_an_e_mail_once(
        self, scratch_database, committed, community, endpoint, happen, actor_as, mailoutbox
    ):
        administrator = actor_as(committed, Role.STREET_ADMINISTRATOR).person
        silent = actor_as(committed, Role.STREET_ADMINISTRATOR).person
        for role in (Role.AUDITOR, Role.PARTNER):
            Person.objects.filter(pk=actor_as(committed, role).person.pk).update(
                email=f"{role}@example.org"
            )
        Person.objects.filter(pk=administrator.pk).update(email="admin@example.org")
        Person.objects.filter(pk=silent.pk).update(email="")
        with receiver(lambda _h, got: 500) as bad:
            failing, _ = endpoint(bad.url)
            with delivering(scratch_database, pause_after=1_000):
                happen(community)
                deadline = time.monotonic() + 60
                while failing.state != WebhookEndpoint.State.FAILING:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                    failing.refresh_from_db()
        [job] = ProcrastinateJob.objects.filter(task_name="linli.events.jobs.tell_of_pause")
        jobs.tell_of_pause(**job.args)
        [told] = mailoutbox
        assert (told.to, told.subject) == (["admin@example.org"], "车站街道：一个推送地址已暂停")
        assert bad.url in told.body

    def test_a_paused_tenant_of_work_is_not_due(self, community, system, endpoint, happen):
        made, _ = endpoint("http://127.0.0.1:9/")
        happen(community)
        sequence(system.tenant.pk)
        assert Due.objects.filter(pk=system.tenant.pk).exists()
        actions.pause_endpoint(actor=system, endpoint_id=made.pk, reason="maintenance")
        assert not Due.objects.filter(pk=system.tenant.pk).exists()
        actions.resume_endpoint(actor=system, endpoint_id=made.pk)
        assert Due.objects.filter(pk=system.tenant.pk).exists()


class TestReplay:
    def test_all_since_a_time_in_the_order_of_each_object(
        self, scratch_database, system, community, endpoint, happen
    ):
        with receiver(lambda _h, got: 404) as r, delivering(scratch_database):
            made, _ = endpoint(r.url)
            since = timezone.now()
            for _ in range(3):
                happen(community)
            settled(3, State.GIVEN_UP)
            r.answer = lambda _h, got: 200
            replayed = actions.replay_events(actor=system, endpoint_id=made.pk, since=since)
            settled(3)

        assert replayed == 3
        again = r.positions()[3:]
        assert again == sorted(again)
        assert len(again) == 3

    def test_from_before_the_endpoint_was_made(
        self, scratch_database, system, community, endpoint, happen
    ):
        since = timezone.now()
        happen(community)
        sequence(system.tenant.pk)
        with receiver() as r, delivering(scratch_database):
            made, _ = endpoint(r.url)
            assert actions.replay_events(actor=system, endpoint_id=made.pk, since=since) == 1
            r.wait_for(1)
            settled(1)

    def test_a_long_one_goes_on_in_pieces_though_the_process_is_killed(
        self, scratch_database, system, endpoint, happen
    ):
        """Each once, in the order of each object, and what happens meanwhile behind them."""
        towns, since = communities(system, 3), timezone.now()
        for one in towns:  # the last one's are far behind
            for _ in range(10):
                happen(one)
        sequence(system.tenant.pk)
        with receiver() as r:
            made, _ = endpoint(r.url)
            with patch.object(replays, "BATCH", 4):
                assert actions.replay_events(actor=system, endpoint_id=made.pk, since=since) == 30
            assert Delivery.objects.count() == 4
            with pytest.raises(Refused) as refused:
                actions.replay_events(actor=system, endpoint_id=made.pk, since=since)
            assert refused.value.code == "REPLAY_UNDER_WAY"
            for one in towns:
                happen(one)
            sequence(system.tenant.pk)
            process = start(scratch_database, replay_batch=4, lease_ms=3_000)
            r.wait_for(2)
            process.kill()
            process.wait()
            before = WebhookEndpoint.objects.get()
            assert before.replay_position is not None
            with delivering(scratch_database, replay_batch=4, lease_ms=3_000):
                settled(33)
        assert WebhookEndpoint.objects.get().replay_position is None
        assert Delivery.objects.count() == 33
        for one in towns:
            told = list(dict.fromkeys(r.positions(encode("Community", one.pk))))
            assert told == sorted(told)
            assert len(told) == 11

    def test_with_its_endpoint_it_is_gone(self, system, community, endpoint, happen):
        made, _ = endpoint("https://example.org/hook")
        since = timezone.now()
        for _ in range(2):
            happen(community)
        sequence(system.tenant.pk)
        with patch.object(replays, "BATCH", 1):
            actions.replay_events(actor=system, endpoint_id=made.pk, since=since)
        actions.delete_endpoint(actor=system, endpoint_id=made.pk)
        with one_at_a_time():
            assert not replays.go_on()
        assert not Delivery.objects.exists()

    def test_one_delivery(self, scratch_database, system, community, endpoint, happen):
        with receiver() as r, delivering(scratch_database):
            endpoint(r.url)
            happen(community)
            [delivery] = settled(1)
            actions.replay_delivery(actor=system, delivery_id=delivery.pk)
            first, second = r.wait_for(2)
            settled(1)
        assert first.body == second.body
        assert len(Delivery.objects.get().log) == 2


def test_a_test_event_goes_to_its_endpoint_only(scratch_database, system, endpoint):
    with receiver() as asked, receiver() as other, delivering(scratch_database):
        made, _ = endpoint(asked.url)
        endpoint(other.url)
        actions.send_test(actor=system, endpoint_id=made.pk)
        [got] = asked.wait_for(1)
        settled(1)
    assert got.event["type"] == "webhook.test"
    assert other.got == []


def test_a_paused_endpoint_is_sent_tests_and_each_once(
    scratch_database, system, community, endpoint, happen
):
    with receiver(lambda _h, _got: 500) as r, delivering(scratch_database):
        made, _ = endpoint(r.url)
        actions.pause_endpoint(actor=system, endpoint_id=made.pk)
        happen(community)
        for count in (1, 2):  # the second does not wait for the first, which failed
            actions.send_test(actor=system, endpoint_id=made.pk)
            r.wait_for(count)
        time.sleep(1)  # several retries' time
        assert [got.event["type"] for got in r.got] == ["webhook.test"] * 2
        r.answer = lambda _h, _got: 200
        actions.resume_endpoint(actor=system, endpoint_id=made.pk)
        settled(3)


def test_after_30_days_a_delivery_is_forgotten_and_the_next_one_goes(
    system, community, endpoint, happen
):
    old = int((timezone.now() - timedelta(days=31)).timestamp() * 1000)
    endpoint("http://127.0.0.1:9/")
    for _ in range(2):
        happen(community)
    sequence(system.tenant.pk)
    first, second = Delivery.objects.order_by("position")
    assert (first.state, second.state) == (State.READY, State.WAITING)
    Delivery.objects.filter(pk=first.pk).update(id=UUID(int=old << 80))

    forget_old()

    [left] = Delivery.objects.all()
    assert (left.pk, left.state) == (second.pk, State.READY)
