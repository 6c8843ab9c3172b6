"""How often and how long delivery is tried."""

import random
from dataclasses import dataclass
from datetime import timedelta

from linli.events.sending import Failure, Outcome

RETRIED_4XX = (408, 429)


@dataclass(frozen=True)
class Pace:
    """All in milliseconds unless named otherwise; tests go faster, production never differs.

    An event is tried ``attempts`` times: after 5 s, then after three times as long each time, at most
    6 h, in all about three days. ``hold`` is for the endpoint: after three failures in a row it is
    left alone for a second, then twice as long each time, at most 5 minutes, and then tried with one
    event at a time.
    """

    first_ms: int = 5_000
    longest_ms: int = 6 * 3_600_000
    attempts: int = 21
    hold_ms: int = 1_000
    longest_hold_ms: int = 300_000
    retry_after_s: int = 3_600
    pause_after: timedelta = timedelta(days=3)
    connect_ms: int = 5_000
    total_ms: int = 15_000
    lease_ms: int = 60_000

    def retry_in(self, outcome: Outcome, attempts: int) -> timedelta | None:
        """When to try again after this many failed attempts; None to give up."""
        status = outcome.status or 0
        refused = 400 <= status < 500 and status not in RETRIED_4XX
        if refused or attempts >= self.attempts:
            return None
        # Beyond the longest the power would only grow; a fifth either way keeps retries apart.
        planned = min(self.first_ms * 3 ** min(attempts - 1, 20), self.longest_ms)
        wait = timedelta(milliseconds=planned * random.randint(80, 120) // 100)
        return max(wait, self.asked_for(outcome))

    def hold(self, outcome: Outcome, failures: int) -> timedelta:
        """How long to leave an endpoint alone after this many failures in a row."""
        doubled = self.hold_ms * 2 ** min(failures - 3, 20) if failures >= 3 else 0
        held = timedelta(milliseconds=min(doubled, self.longest_hold_ms))
        return max(held, self.asked_for(outcome))

    def asked_for(self, outcome: Outcome) -> timedelta:
        """What the receiver asks for by Retry-After, within bounds."""
        if outcome.failure != Failure.STATUS:
            return timedelta(0)
        return timedelta(seconds=min(outcome.retry_after or 0, self.retry_after_s))
