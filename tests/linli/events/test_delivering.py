"""Deliveries by the real process to real receivers: signed, in order, retried, never lost."""

import time

from linli.events.models import Delivery, Event
from linli.events.secrets import HEADER
from linli.events.sequencing import sequence
from tests.support.deliverers import delivering
from tests.support.receivers import receiver


def test_an_event_comes_signed_within_a_moment(scratch_database, committed, community, endpoint, happen):
    with receiver() as r:
        made, secret = endpoint(r.url)
        with delivering(scratch_database):
            event = happen(community, "residents")
            [got] = r.wait_for(1)
            deadline = time.monotonic() + 20
            while not (d := Delivery.objects.filter(state="delivered").first()):
                assert time.monotonic() < deadline
                time.sleep(0.05)
    print(got.headers, got.event, d.log)
