"""What an answer says of the points of whoever asked: fields of draft-ietf-httpapi-ratelimit-headers-11.

The unit is the point, not the request.
"""

from collections.abc import Iterator

from linli.budget.lease import SECONDS, Lease


def headers(lease: Lease, status: int) -> Iterator[tuple[str, str]]:
    seconds = lease.seconds_left
    yield "RateLimit-Policy", f'"points";q={lease.limit};w={SECONDS}'
    yield "RateLimit", f'"points";r={lease.remaining};t={seconds}'
    if status == 429:
        yield "Retry-After", str(seconds)
