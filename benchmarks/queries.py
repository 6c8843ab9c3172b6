"""What is asked, of each contestant in its own words, and how its answers compare.

Q1  20 partners of a community, by name, each with its community's name, its last 3 contributions
    and what it owes in all
Q2  one partner by its id, with its community
Q3  contributions summed by community and month
W1  declare an income; what is owed is worked out, and the trail and the events have their rows

Whatever the names in it, an answer reads as the same plain values (`Dialect.reads`), so that nobody
is timed on a wrong answer.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

QUERIES = ("q1", "q2", "q3", "w1")
PAGE, LAST = 20, 3

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Dialect:
    """documents: by query. encode: makes the variables of a contestant from ours: for Q1
    ``community``, for Q2 ``id``, for W1 ``agreement``, ``startsOn``, ``endsOn``, ``incomeFen``;
    ids are UUIDs as text. reads: an answer's data as plain values."""

    documents: Mapping[str, str]
    reads: Mapping[str, Callable[[Data], Any]]
    encode: Callable[[str, Data], dict[str, Any]] = lambda _query, values: dict(values)

    def body(self, query: str, values: Data) -> dict[str, Any]:
        return {
            "operationName": query.upper(),
            "query": self.documents[query],
            "variables": self.encode(query, values),
        }


# ── Linli, and the bare app, which is sent the same and answers in the same form ─────────────────

Q1_OWED = f"""
            contributions(first: {LAST}, orderBy: NEWEST) {{
                nodes {{ id amountFen workedOutAt }}
            }}
            owedFen"""
LINLI_DOCUMENTS = {
    "q1": f"""query Q1($community: ID!) {{
    partners(communityId: $community, first: {PAGE}, orderBy: NAME) {{
        nodes {{
            id
            name
            community {{ name }}{Q1_OWED}
        }}
    }}
}}""",
    "q2": """query Q2($id: ID!) {
    partner(id: $id) { id name kind isIndividual joinedOn community { id name } }
}""",
    "q3": """query Q3($since: Date!, $until: Date!) {
    contributionMonths(since: $since, until: $until) { community { name } month owedFen }
}""",
    "w1": """mutation W1($input: DeclareIncomeInput!) {
    declareIncome(input: $input) { contribution { id amountFen } errors { code message } }
}""",
}
GLOBAL_IDS = {"community": "Community", "id": "Partner", "agreement": "Agreement"}


def _global(values: Data) -> dict[str, Any]:
    return {
        name: b64encode(f"{GLOBAL_IDS[name]}:{value}".encode()).decode()
        if name in GLOBAL_IDS
        else value
        for name, value in values.items()
    }


def _as_linli_takes_it(query: str, values: Data) -> dict[str, Any]:
    known = _global(values)
    if query == "w1":
        return {"input": {"agreementId": known.pop("agreement"), **known}}
    return known


def _key(identity: str) -> str:
    """The UUID in an id, be it a global one or the key itself."""
    return identity if "-" in identity else b64decode(identity).decode().partition(":")[2]


def _contribution(row: Data, key: str = "id") -> tuple[str, int, float]:
    at = datetime.fromisoformat(row["workedOutAt"])
    return _key(row[key]), int(row["amountFen"]), at.timestamp()


def _linli_q1(data: Data) -> list:
    return [
        (
            _key(row["id"]),
            row["name"],
            row["community"]["name"],
            [_contribution(one) for one in row["contributions"]["nodes"]],
            row["owedFen"],
        )
        for row in data["partners"]["nodes"]
    ]


def _linli_q2(data: Data) -> tuple:
    row = data["partner"]
    columns = (row["name"], row["kind"], row["isIndividual"], row["joinedOn"])
    return _key(row["id"]), *columns, _key(row["community"]["id"]), row["community"]["name"]


def _linli_q3(data: Data) -> list:
    rows = data["contributionMonths"]
    return sorted((row["community"]["name"], row["month"], row["owedFen"]) for row in rows)


def _linli_w1(data: Data) -> int:
    payload = data["declareIncome"]
    if payload["errors"]:
        raise ValueError(f"refused: {payload['errors']}")
    return payload["contribution"]["amountFen"]


LINLI_READS = {"q1": _linli_q1, "q2": _linli_q2, "q3": _linli_q3, "w1": _linli_w1}
LINLI = Dialect(LINLI_DOCUMENTS, LINLI_READS, _as_linli_takes_it)
BARE = Dialect(LINLI_DOCUMENTS, LINLI_READS)

# ── PostGraphile: the names its amber preset gives to the same tables ────────────────────────────

P1_OWED = f"""
            partnersContributionsByPartnerId(first: {LAST}, orderBy: PRIMARY_KEY_DESC) {{
                nodes {{ rowId amountFen workedOutAt }}
            }}
            owedFen"""
POSTGRAPHILE_DOCUMENTS = {
    "q1": f"""query Q1($community: UUID!) {{
    allPartnersPartners(
        condition: {{communityId: $community}}, first: {PAGE}, orderBy: NAME_ASC
    ) {{
        nodes {{
            rowId
            name
            communitiesCommunityByCommunityId {{ name }}{P1_OWED}
        }}
    }}
}}""",
    "q2": """query Q2($id: UUID!) {
    partnersPartnerByRowId(rowId: $id) {
        rowId name kind isIndividual joinedOn communitiesCommunityByCommunityId { rowId name }
    }
}""",
}


def _postgraphile_q1(data: Data) -> list:
    return [
        (
            row["rowId"],
            row["name"],
            row["communitiesCommunityByCommunityId"]["name"],
            [
                _contribution(one, "rowId")
                for one in row["partnersContributionsByPartnerId"]["nodes"]
            ],
            int(row["owedFen"]),
        )
        for row in data["allPartnersPartners"]["nodes"]
    ]


def _postgraphile_q2(data: Data) -> tuple:
    row = data["partnersPartnerByRowId"]
    community = row["communitiesCommunityByCommunityId"]
    columns = (row["name"], row["kind"], row["isIndividual"], row["joinedOn"])
    return row["rowId"], *columns, community["rowId"], community["name"]


POSTGRAPHILE = Dialect(POSTGRAPHILE_DOCUMENTS, {"q1": _postgraphile_q1, "q2": _postgraphile_q2})
