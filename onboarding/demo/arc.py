"""The product's arc on real input, step by step, all of it through GraphQL.

Each step reads what stands and writes what is missing, so it can be killed and run again, and a
second run writes nothing. Each is done by the person whose work it is.
"""

import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from linli.money import fen_from_yuan
from onboarding.demo import reads, travel
from onboarding.demo.client import DemoError
from onboarding.demo.stage import OPERATOR, PASSWORD, Stage

WAIT_SECONDS = 120


def steps() -> list[tuple[str, Callable[[Stage], None]]]:
    return [
        ("provisioning two cities, five districts and five street offices", tenants),
        ("registering their people", people),
        ("bringing communities on board from the national list", communities),
        ("stating published facts", facts),
        ("piloting Chengnan's operating model in its own street office", pilot),
        ("publishing it to the library, with what it achieved", publish),
        ("adopting it elsewhere, with other rates", adoptions),
        ("narrowing it by a district's policy", policy),
        ("overriding it for one community", override),
        ("running partners and funds there", roll_out),
        ("spending: proposed, approved, paid by three people", spending),
        ("rolling figures up for comparison", comparison),
        ("laying down in another city who approves", travel.adoption_rule),
        ("adopting the model there, approved by the district", travel.approved_adoption),
        ("writing and publishing its second version", travel.next_version),
        ("offering it to some first", travel.offers),
        ("upgrading there, the one clash decided by a person", travel.upgrade),
        ("publishing the model that this district wrote itself", travel.own_model),
    ]


def tenants(stage: Stage) -> None:
    there = reads.tenants(stage)
    for asked in stage.data["tenants"]:
        if asked["slug"] not in there:
            parent = there.get(asked.get("parent", ""))
            made = stage.write(
                "requestTenant", "tenant { id slug status }",
                by=OPERATOR, slug=asked["slug"], name=asked["name"], kind=asked["kind"],
                divisionCode=asked["code"], parentId=parent and parent["id"],
            )["tenant"]  # fmt: skip
            there[made["slug"]] = made
    wanted = {tenant["slug"] for tenant in stage.data["tenants"]}

    def active() -> bool:
        found = reads.tenants(stage)
        return all(found[slug]["status"] == "ACTIVE" for slug in wanted)

    _until(active, "the demo's tenants active")


def people(stage: Stage) -> None:
    tenants = reads.tenants(stage)
    for wanted in stage.data["people"]:
        found = stage.read(
            """query($name: String!) { people(username: $name) { nodes { id
                 memberships { nodes { role tenant { slug } } } } } }""",
            by=OPERATOR, name=wanted["username"],
        )["people"]["nodes"]  # fmt: skip
        person = found[0] if found else None
        if person is None:
            person = stage.write(
                "registerPerson", "person { id }",
                by=OPERATOR, username=wanted["username"], name=wanted["name"], password=PASSWORD,
            )["person"]  # fmt: skip
        held = person.get("memberships", {"nodes": []})["nodes"]
        for slug, role in wanted["at"].items():
            if not any(m["role"] == role and m["tenant"]["slug"] == slug for m in held):
                stage.write(
                    "grantMembership", "membership { id }",
                    by=OPERATOR, personId=person["id"], tenantId=tenants[slug]["id"], role=role,
                )  # fmt: skip


def communities(stage: Stage) -> None:
    given = stage.data["communities"]
    for street in reads.streets(stage):
        by, opened_on = street["parent"], stage.data["funds"]["opened_on"]
        if not reads.communities(stage, street["slug"]):
            stage.write(
                "onboardCommunities", "added { id }", by=by, at=street["slug"], openedOn=opened_on
            )
        for wanted in given.get(street["slug"], []):
            figures = {
                k: v for k, v in wanted.items() if k in ("profile", "residents", "buildings")
            }
            _with_figures(stage, by, street["slug"], wanted, figures, opened_on)
        for name, yuan in given["sample_operating_costs"].get(street["slug"], {}).items():
            figures = {"operatingCostFen": fen_from_yuan(yuan), "sampleCost": True}
            _with_figures(stage, by, street["slug"], {"name": name}, figures, opened_on)


def _with_figures(
    stage: Stage,
    by: str,
    at: str,
    wanted: dict[str, Any],
    figures: dict[str, Any],
    opened_on: str,
) -> None:
    community = reads.communities(stage, at).get(wanted["name"])
    if community is None:
        if not wanted.get("new"):
            raise DemoError(f"{wanted['name']} is not in the national list of {at}")
        stage.write(
            "addCommunity", "community { id }",
            by=by, at=at, name=wanted["name"], openedOn=opened_on, **figures,
        )  # fmt: skip
    elif any(community[name] != value for name, value in figures.items()):
        stage.write(
            "updateCommunity", "community { id }",
            by=by, at=at, communityId=community["id"], **figures,
        )  # fmt: skip


def facts(stage: Stage) -> None:
    for slug, groups in stage.data["facts"].items():
        there = {
            (fact["community"] and fact["community"]["name"], fact["key"]): fact["value"]
            for fact in reads.nodes(
                stage, "facts", "key value community { name }", by=OPERATOR, at=slug
            )
        }
        for group in groups:
            name = group.get("community")
            for key, value in group.items():
                if key not in ("community", "source") and there.get((name, key)) != value:
                    stage.write(
                        "stateFact", "fact { id }",
                        by=OPERATOR, at=slug, key=key, value=value, source=group["source"],
                        communityId=reads.community(stage, slug, name) if name else None,
                    )  # fmt: skip


def pilot(stage: Stage) -> None:
    """The author runs its model first, so that it is published with measured outcomes (M4)."""
    model(stage)
    _run(stage, [stage.data["model"]["author"]])
    _report(stage, by="zhangdian", under="zhangdian")


def roll_out(stage: Stage) -> None:
    _run(stage, [wanted["tenant"] for wanted in stage.data["adoptions"]])


def _run(stage: Stage, slugs: list[str]) -> None:
    """A year of these street offices: funds, partners, what they declare and pay back."""
    for slug in slugs:
        fund(stage, slug)
        for wanted in stage.data["partners"]:
            if wanted["tenant"] == slug:
                partner(stage, wanted)
                if _declares(wanted):
                    contributions(stage, wanted)
        for wanted in stage.data["income"]:
            if wanted["tenant"] == slug:
                income(stage, wanted)


def model(stage: Stage) -> None:
    given = stage.data["model"]
    at = by = given["author"]
    version = travel.written(stage, given)
    if not reads.adopted(stage, at):
        stage.write(
            "adoptVersion", "adoption { id }",
            by=by, at=at, versionId=version["id"], effectiveFrom=given["effective_from"],
            expectedVersion=0,
        )  # fmt: skip


def publish(stage: Stage) -> None:
    given = stage.data["model"]
    travel.published(stage, given)


def adoptions(stage: Stage) -> None:
    published = reads.published(stage, stage.data["model"]["key"])
    for wanted in stage.data["adoptions"]:
        at = by = wanted["tenant"]
        if reads.adopted(stage, at):
            continue
        asked = {
            "publishedId": published and published["id"],
            "effectiveFrom": stage.data["model"]["effective_from"],
            "values": [{"path": p, "value": v} for p, v in wanted["values"].items()],
        }
        preview = stage.read(
            """query($publishedId: ID!, $effectiveFrom: Date!, $values: [RuleValueInput!]) {
                 previewAdoption(publishedId: $publishedId, effectiveFrom: $effectiveFrom,
                                 values: $values) { changes { path } problems { code message } } }""",
            by=by, at=at, **asked,
        )["previewAdoption"]  # fmt: skip
        if preview["problems"] or not preview["changes"]:
            raise DemoError(f"the preview of {at} says {preview}")
        stage.write(
            "adoptVersion", "adoption { id }", by=by, at=at, reason=wanted["reason"],
            expectedVersion=0, expectedLayerVersion=0, **asked,
        )  # fmt: skip


def policy(stage: Stage) -> None:
    given = stage.data["policy"]
    at = by = given["issuer"]
    if not reads.layers(stage, at, "DISTRICT"):
        stage.write(
            "issuePolicy", "layer { id }",
            by=by, at=at, values=[], bounds=given["bounds"], reason=given["reason"],
            effectiveFrom=date.today().isoformat(), expectedVersion=0,
        )  # fmt: skip
    below = [t["slug"] for t in reads.streets(stage) if t["parent"] == at]
    _until(
        lambda: all(reads.layers(stage, slug, "DISTRICT") for slug in below), "policy frozen below"
    )


def override(stage: Stage) -> None:
    given = stage.data["override"]
    at = by = given["tenant"]
    if not reads.layers(stage, at, "COMMUNITY"):
        stage.write(
            "setLayer", "layer { id }",
            by=by, at=at, communityId=reads.community(stage, at, given["community"]),
            values=[{"path": p, "value": v} for p, v in given["values"].items()], bounds=[],
            effectiveFrom=date.today().isoformat(), reason=given["reason"], expectedVersion=0,
        )  # fmt: skip


def fund(stage: Stage, slug: str) -> None:
    given = stage.data["funds"]
    if not reads.funds(stage, slug):
        stage.write(
            "openFund", "fund { id }",
            by=slug, at=slug, hostCharity=given["host_charity"], openedOn=given["opened_on"], sample=True,
            communityId=reads.community(stage, slug, given["communities"][slug]),
        )  # fmt: skip


def partner(stage: Stage, wanted: dict[str, Any]) -> None:
    terms = stage.data["agreement"]
    at = by = wanted["tenant"]
    found = reads.partner(stage, wanted)
    if found is None:
        stage.write(
            "admitPartner", "partner { id }",
            by=by, at=at, communityId=reads.community(stage, at, wanted["community"]),
            name=wanted["name"], kind=wanted["kind"], joinedOn=terms["starts_on"],
            sample=True,
        )  # fmt: skip
        found = reads.partner(stage, wanted)
    if found and _declares(wanted) and not found["agreements"]["nodes"]:
        mode = "visiting" if "sessions" in wanted else "stationed"
        stage.write(
            "signAgreement", "agreement { id }",
            by=by, at=at, partnerId=found["id"], mode=mode.upper(), ruleKey=mode,
            startsOn=terms["starts_on"], endsOn=terms["ends_on"], spaces=terms["spaces"],
            sample=True,
        )  # fmt: skip


def contributions(stage: Stage, wanted: dict[str, Any]) -> None:
    at = by = wanted["tenant"]
    told = wanted.get("quarterly_income")
    income = None if told is None else fen_from_yuan(str(told))
    for starts_on, ends_on in _periods(stage, wanted):
        declared = reads.declarations(stage, wanted)
        if starts_on not in declared:
            agreement = (reads.partner(stage, wanted) or {})["agreements"]["nodes"][0]
            stage.write(
                "declareIncome", "contribution { amountFen }",
                by=by, at=at, agreementId=agreement["id"], startsOn=starts_on, endsOn=ends_on,
                incomeFen=income, sessions=wanted.get("sessions"), sample=True,
            )  # fmt: skip
            declared = reads.declarations(stage, wanted)
        owed = declared[starts_on]["contribution"]
        if owed["receivedFen"] < owed["amountFen"]:
            stage.write(
                "receiveContribution", "event { id }",
                by="cashier", at=at, contributionId=owed["id"],
                amountFen=owed["amountFen"] - owed["receivedFen"], receivedOn=ends_on,
            )  # fmt: skip


def income(stage: Stage, wanted: dict[str, Any]) -> None:
    at = wanted["tenant"]
    notes = {
        posting["note"] for posting in reads.nodes(stage, "postings", "note", by="cashier", at=at)
    }
    if wanted["note"] not in notes:
        stage.write(
            "recordIncome", "event { id }",
            by="cashier", at=at, fundId=reads.funds(stage, at)[0]["id"], source=wanted["source"],
            amountFen=fen_from_yuan(wanted["amount"]), receivedOn=wanted["received_on"],
            note=wanted["note"],
        )  # fmt: skip


def spending(stage: Stage) -> None:
    given = stage.data["spending"]
    at = given["tenant"]

    def found() -> dict[str, Any] | None:
        rows = reads.nodes(stage, "spendings", "id status purpose", by="cashier", at=at)
        return next((row for row in rows if row["purpose"] == given["purpose"]), None)

    asked = found()
    if asked is None:
        stage.write(
            "proposeSpending", "spending { id }",
            by="secretary", at=at, fundId=reads.funds(stage, at)[0]["id"], share=given["share"],
            use=given["use"], purpose=given["purpose"], amountFen=fen_from_yuan(given["amount"]),
            sample=True,
        )  # fmt: skip
        asked = found()
    if asked and asked["status"] == "PROPOSED":
        stage.write(
            "approveSpending", "spending { id }", by="approver", at=at, spendingId=asked["id"]
        )
        asked = found()
    if asked and asked["status"] == "APPROVED":
        stage.write(
            "paySpending", "spending { id }",
            by="cashier", at=at, spendingId=asked["id"], paidOn=given["paid_on"],
        )  # fmt: skip


def comparison(stage: Stage) -> None:
    _report(stage, by="zibo", under="zibo")


def _report(stage: Stage, *, by: str, under: str) -> None:
    """Have the figures below a tenant rolled up, unless all of them have been."""

    def reported() -> bool:
        day = stage.data["comparison"]["as_of"]
        rows = compared(stage, "fund_balance_fen", by=by, under=under)
        return bool(rows) and all(row["asOf"] == day for row in rows)

    if not reported():
        stage.write(
            "refreshComparison", "refreshing",
            by=by, underId=reads.tenants(stage)[under]["id"], asOf=stage.data["comparison"]["as_of"],
        )  # fmt: skip
        _until(reported, f"figures of every tenant under {under}")


def compared(
    stage: Stage, measure: str, *, by: str = "zibo", under: str = "zibo"
) -> list[dict[str, Any]]:
    """What a supervisor, the city's unless named, sees of one measure."""
    return stage.read(
        """query($measure: String!, $under: ID!, $day: Date) {
             comparison(measure: $measure, underId: $under, asOf: $day) {
               rows { tenant { slug name } value asOf rank missing } } }""",
        by=by, measure=measure, under=reads.tenants(stage)[under]["id"],
        day=stage.data["comparison"]["as_of"],
    )["comparison"]["rows"]  # fmt: skip


def _declares(wanted: dict[str, Any]) -> bool:
    return "quarterly_income" in wanted or "sessions" in wanted


def _periods(stage: Stage, wanted: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Quarters for an income, the year for sessions."""
    terms = stage.data["agreement"]
    start, end = date.fromisoformat(terms["starts_on"]), date.fromisoformat(terms["declared_until"])
    if "sessions" in wanted:
        yield start.isoformat(), end.isoformat()
        return
    while start < end:
        months = start.month + 2  # counted from 0, three later
        following = date(start.year + months // 12, months % 12 + 1, 1)
        yield start.isoformat(), following.isoformat()
        start = following


def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise DemoError(f"waited {WAIT_SECONDS} seconds for this in vain: {what}")
        time.sleep(0.2)
