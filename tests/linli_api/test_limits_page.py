"""docs/limits.md says what the code does: each number is read from both."""

import re

import pytest
from django.conf import settings

from linli import sizes
from linli.budget import lease
from linli.library.document import reading
from linli.tenancy.postgresql import lines
from linli.trusted.selectors import FRESH_SECONDS
from linli_api import errors, pages
from linli_api.express import application, bodies, threads
from linli_api.limits import cost, deadline, size
from tests.support.databases import ROOT

PAGE = (ROOT / "docs/limits.md").read_text()
FLAT = " ".join(PAGE.split())
DECISION = " ".join((ROOT / "docs/adr/0010-cost-leases-trusted-documents.md").read_text().split())

ROWS = dict(re.findall(r"^\| `([A-Z_]+)` \| ([\d,]+)", PAGE, re.MULTILINE))
OWN = {name for name, value in vars(size).items() if name.isupper() and isinstance(value, int)} - {
    "_LONG_NUMBER"
}


def test_every_limit_of_size_stands_there():
    told = {name: int(number.replace(",", "")) for name, number in ROWS.items()}
    assert told == {name: getattr(size, name) for name in OWN}


@pytest.mark.parametrize(
    "sentence",
    [
        f"A page holds {pages.LONGEST} rows at most",
        f"An answer tells {errors.MOST_ERRORS} errors at most",
        f"`first` or `last`, {pages.DEFAULT} unless told",
        f"what stands inside times {cost.LIST_ROWS} |",
        f"| 1 for every {cost.ROWS_A_POINT} rows asked for, begun ones too |",
        f"An answer's `data` holds {settings.LINLI_ANSWER_BYTES:,} bytes at most",
        f"holds {sizes.DOCUMENT:,} characters at most and a JSON value as many bytes",
        f"whole document comes in at most {reading.MAX_BYTES:,} bytes",
        f"a fact's value {sizes.VALUE:,} bytes, a reason {sizes.REASON:,} characters",
        f"a text of several paragraphs {sizes.TEXT:,}",
        f"| `__schema` | {cost.INTROSPECTION['__schema']:,} |",
        f"| `__type` | {cost.INTROSPECTION['__type']} |",
        f"costs at least {cost.LEAST}; one whose document is refused {cost.REFUSED},",
        f"More than {settings.LINLI_POINTS_A_REQUEST:,} points in one request",
        f"A client has {settings.LINLI_POINTS_A_MINUTE:,} points a minute",
        f"shares {settings.LINLI_POINTS_A_MINUTE_ANONYMOUS:,} with their address",
        f"q={settings.LINLI_POINTS_A_MINUTE};w={lease.SECONDS}",
        f"So within {lease.SECONDS} seconds around that moment up to twice the limit may pass",
        f"A query has {settings.LINLI_READ_SECONDS} seconds, a mutation"
        f" {settings.LINLI_WRITE_SECONDS}.",
        f"may be run for {FRESH_SECONDS} seconds more",
        f"{application.LINES // 2} lines of {application.LINES} for known reads",
        f"each for up to {lines.TOGETHER} cheap ones",
        f"and {application.THREADS // 2} of {application.THREADS} threads",
        f"{lines.WAITING} reads for a line, {threads.WAITING} requests for a thread",
        f"A process holds {bodies.HELD:,} bytes of bodies at once",
        f"counted as {bodies.LEAST:,} at least",
    ],
)
def test_the_page_says(sentence):
    assert sentence in FLAT


def test_a_mutation_costs_what_the_page_says():
    from linli_api.communities.mutations import AddCommunity, OnboardCommunities
    from linli_api.partners.mutations import AdmitPartners

    assert (AddCommunity.cost, AddCommunity.per) == (10, None)
    assert (OnboardCommunities.cost, OnboardCommunities.per) == (10, "codes")
    assert "| a mutation | 10; `onboardCommunities` for each of its `codes`, or 10 times" in PAGE
    assert (AdmitPartners.cost, AdmitPartners.per) == (5, "items")
    assert "| a mutation of many | 5 for each of its `items`" in PAGE


def test_the_decision_names_the_share_of_a_block():
    assert lease.BLOCKS == 50
    assert "a fiftieth of what is left" in DECISION
    assert deadline.UNHURRIED == 4
    assert "once a quarter of the time is gone" in DECISION
