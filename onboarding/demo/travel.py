"""The arc's second half: how a model travels. Written, published, adopted in another city with the
district's approval, offered and taken up anew when its author publishes the next version."""

from datetime import date
from typing import Any

from onboarding.demo import reads
from onboarding.demo.client import DemoError
from onboarding.demo.stage import Stage, load


def written(stage: Stage, given: dict[str, Any]) -> dict[str, Any]:
    """The first version of a model of the data; its notes name what is a sample."""
    at = by = given["author"]
    found = reads.version(stage, at, given["key"])
    if found:
        return found
    content = load(given["document"])
    samples = "、".join(content["sample_paths"])
    return stage.write(
        "writeVersion", "version { id number }",
        by=by, at=at, key=given["key"], title=given["title"], document=content["document"],
        bounds=given["bounds"], notes=f"{given['notes']}。以下为样例值，未见公开口径：{samples}",
    )["version"]  # fmt: skip


def published(stage: Stage, given: dict[str, Any], number: int = 1) -> None:
    """In the library for everybody, with what was measured where the data names a period."""
    at = by = given["author"]
    if reads.published(stage, given["key"], number):
        return
    period = given.get("evidence", {})
    stage.write(
        "publishVersion", "publishedId",
        by=by, at=at, versionId=(reads.version(stage, at, given["key"], number) or {})["id"],
        profiles=given["profiles"], caseText=given["case_text"], visibility="ALL",
        evidenceStartsOn=period.get("starts_on"), evidenceEndsOn=period.get("ends_on"),
    )  # fmt: skip


def adoption_rule(stage: Stage) -> None:
    given = stage.data["adoption_rule"]
    at = by = given["issuer"]
    if not reads.nodes(stage, "adoptionRules", "id", by=by, at=at):
        stage.write(
            "setAdoptionRule", "rule { id }",
            by=by, at=at, approver=given["approver"], upgrades=given["upgrades"],
            effectiveFrom=date.today().isoformat(), reason=given["reason"], expectedVersion=0,
        )  # fmt: skip


def approved_adoption(stage: Stage) -> None:
    """The street office asks, its district says yes: then it counts."""
    given = stage.data["approved_adoption"]
    at, model = given["tenant"], stage.data["model"]
    if reads.adopted(stage, at):
        return
    if reads.waiting(stage, at) is None:
        stage.write(
            "requestAdoption", "request { id }",
            by=at, at=at, publishedId=(reads.published(stage, model["key"]) or {})["id"],
            effectiveFrom=model["effective_from"],
            values=_by_path(given["values"]), expectedVersion=0, expectedLayerVersion=0,
            reason=given["reason"],
        )  # fmt: skip
    _approve(stage, given)


def next_version(stage: Stage) -> None:
    """Its author opens a draft from the first version, changes places of it and publishes it."""
    model, given = stage.data["model"], stage.data["next_version"]
    at = by = model["author"]
    if reads.version(stage, at, model["key"], number=2) is None:
        _finish(stage, _draft(stage, model, given), by, given["notes"])
    published(stage, model, number=2)


def _draft(stage: Stage, model: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    at = by = model["author"]
    there = reads.nodes(stage, "drafts", "id key version derivedFrom { id }", by=by, at=at)
    draft = next((row for row in there if row["key"] == model["key"]), None)
    if draft is None:
        draft = stage.write(
            "openDraft", "draft { id version derivedFrom { id } }",
            by=by, at=at, versionId=(reads.version(stage, at, model["key"]) or {})["id"],
            title=given["title"],
        )["draft"]  # fmt: skip
    compared = stage.read(
        """query($from: ID!, $to: ID!) { compareVersions(fromId: $from, toId: $to) {
             differences { path } } }""",
        by=by, at=at, **{"from": draft["derivedFrom"]["id"], "to": draft["id"]},
    )["compareVersions"]  # fmt: skip
    if not compared["differences"]:
        draft = stage.write(
            "editDraft", "draft { id version }",
            by=by, at=at, draftId=draft["id"], expectedVersion=draft["version"],
            values=_by_path(given["values"]),
        )["draft"]  # fmt: skip
    return draft


def _finish(stage: Stage, draft: dict[str, Any], by: str, notes: str) -> None:
    stage.write(
        "finishDraft", "version { id }",
        by=by, at=by, draftId=draft["id"], expectedVersion=draft["version"], notes=notes,
    )  # fmt: skip


def offers(stage: Stage) -> None:
    key = stage.data["model"]["key"]
    tenants = reads.tenants(stage)
    for given in stage.data["offers"]:
        at = by = given["issuer"]
        there = reads.nodes(stage, "offers", "key number", by=by, at=at)
        if {"key": key, "number": 2} not in there:
            stage.write(
                "offerVersion", "offer { id }",
                by=by, at=at, publishedId=(reads.published(stage, key, number=2) or {})["id"],
                unitIds=[tenants[slug]["id"] for slug in given["units"]],
                effectiveFrom=date.today().isoformat(), note=given["note"],
            )  # fmt: skip


def upgrade(stage: Stage) -> None:
    """What does not clash is taken, what does is decided by a person, then all of it counts."""
    given = stage.data["upgrade"]
    at = by = given["tenant"]
    found = reads.upgrade(stage, at)
    if found is None:
        stage.write(
            "openUpgrade", "upgrade { id }",
            by=by, at=at, effectiveFrom=date.today().isoformat(), reason=given["reason"],
            publishedId=(reads.published(stage, stage.data["model"]["key"], number=2) or {})["id"],
        )  # fmt: skip
        found = reads.upgrade(stage, at)
    if found and found["state"] == "OPEN":
        _decide(stage, given, found)
        _apply(stage, given, reads.upgrade(stage, at) or {})


def _decide(stage: Stage, given: dict[str, Any], found: dict[str, Any]) -> None:
    said = {decision["path"]: decision for decision in given["decisions"]}
    asked = {question["path"]: question for question in found["questions"]}
    if said.keys() != asked.keys():
        raise DemoError(f"the upgrade asks of {sorted(asked)}, decided are {sorted(said)}")
    decisions = [
        {**said[path], "seen": question["seen"]}
        for path, question in asked.items()
        if question["isOpen"]
    ]
    if decisions:
        stage.write(
            "decideUpgrade", "upgrade { id }",
            by=given["tenant"], at=given["tenant"], upgradeId=found["id"], decisions=decisions,
            expectedVersion=found["version"],
        )  # fmt: skip


def _apply(stage: Stage, given: dict[str, Any], found: dict[str, Any]) -> None:
    """Asked for, and approved by the district, as it has laid down."""
    at = by = given["tenant"]
    if reads.waiting(stage, at) is None:
        stage.write(
            "requestUpgrade", "request { id }",
            by=by, at=at, upgradeId=found["id"], expectedVersion=found["version"],
            # A run that was killed may have opened it on an earlier day than it is applied.
            effectiveFrom=date.today().isoformat(), reason=given["reason"],
        )  # fmt: skip
    _approve(stage, given)


def own_model(stage: Stage) -> None:
    given = stage.data["own_model"]
    written(stage, given)
    published(stage, given)


def what_if(stage: Stage) -> dict[str, Any]:
    """What the second version would have made of a past year. Nothing is written."""
    given = stage.data["what_if"]
    at = by = given["tenant"]
    return stage.read(
        """query($startsOn: Date!, $endsOn: Date!, $versionId: ID!) {
             whatIf(startsOn: $startsOn, endsOn: $endsOn, versionId: $versionId) {
               problems { code message } declarations wasFen wouldBeFen differenceFen
               notWorkedOutCount
               partners { partner { name } wasFen wouldBeFen differenceFen }
               accounts { code wasFen wouldBeFen differenceFen } } }""",
        by=by, at=at, startsOn=given["starts_on"], endsOn=given["ends_on"],
        versionId=(reads.version(stage, at, stage.data["model"]["key"], number=2) or {})["id"],
    )["whatIf"]  # fmt: skip


def _approve(stage: Stage, given: dict[str, Any]) -> None:
    waiting = reads.waiting(stage, given["tenant"])
    if waiting:
        stage.write(
            "approveChange", "request { id }",
            by=given["approver"], at=given["tenant"], requestId=waiting["id"],
            reason=given["approval"],
        )  # fmt: skip


def _by_path(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"path": path, "value": value} for path, value in values.items()]
