"""How far the demo's model has travelled, read back through GraphQL, and whether it is as it should be."""

from typing import Any

from rich.markup import escape
from rich.table import Table

from linli.money import yuan
from onboarding.demo import reads, travel
from onboarding.demo.stage import OPERATOR, Stage

_LINEAGE = """query($id: ID!) { lineage(versionId: $id) { versions {
  version { key number title authorName hasEvidence }
  runners { tenantName since changes { path told model here } } } } }"""

# Who runs which version of the model, and how many places they have set differently.
RUN_BY = {
    1: {"车站街道": 0, "闻韶街道": 1, "丝绸路街道": 1, "南麻街道": 1},
    2: {"水泊寺街道": 6},
}
# The one clash: what stood, what the second version says, what the street office had set, and what
# was decided.
CLASH = ("meetings.joint.day_of_month", 25, 20, 10, "KEEP")
# 85,200 yuan at 3 % are 113,600 at 4 %: of 2,840,000 yuan that three partners took in.
WHAT_IF = (12, 8_520_000, 11_360_000)


def tables(stage: Stage) -> list[Table]:
    return [lineage(stage), clash(stage), what_if(stage)]


def lineage(stage: Stage) -> Table:
    shown = Table(title="Who runs which version, and what they set differently")
    for heading in ("version", "by", "run by", "since", "place", "model", "here"):
        shown.add_column(heading)
    for node in _versions(stage):
        version = node["version"]
        first = [f"{version['key']} v{version['number']}", version["authorName"]]
        for runner in node["runners"] or [{"tenantName": "–", "since": "", "changes": []}]:
            who = [*first, runner["tenantName"], runner["since"]]
            first = ["", ""]
            for change in runner["changes"] or [None]:
                shown.add_row(*who, *_change(change))
                who = [""] * len(who)
    return shown


def clash(stage: Stage) -> Table:
    given = stage.data["upgrade"]
    found = reads.upgrade(stage, given["tenant"]) or {"state": "–", "decisions": {"nodes": []}}
    names = {tenant["slug"]: tenant["name"] for tenant in stage.data["tenants"]}
    shown = Table(
        title=f"The upgrade of {names[given['tenant']]}, {found['state'].lower()}: what clashed"
    )
    for heading in ("place", "version before", "version now", "set here", "decided", "why"):
        shown.add_column(heading)
    for said in found["decisions"]["nodes"]:
        values = (_short(said[side]) for side in ("old", "new", "own"))
        shown.add_row(escape(said["path"]), *values, said["choice"], said["reason"])
    return shown


def what_if(stage: Stage) -> Table:
    given, found = stage.data["what_if"], travel.what_if(stage)
    names = {tenant["slug"]: tenant["name"] for tenant in stage.data["tenants"]}
    shown = Table(
        title=f"{names[given['tenant']]}, {given['starts_on']} to {given['ends_on']}, under v2"
    )
    shown.add_column("partner or account")
    for heading in ("was", "would be", "more"):
        shown.add_column(heading, justify="right")
    for row in found["partners"]:
        shown.add_row(row["partner"]["name"], *_amounts(row))
    shown.add_section()
    for row in found["accounts"]:
        shown.add_row(row["code"], *_amounts(row))
    shown.add_section()
    shown.add_row(f"{found['declarations']} declarations", *_amounts(found))
    return shown


def faults(stage: Stage) -> list[str]:
    """What is off: empty where the model has gone where it should, as it should."""
    found = []
    nodes = _versions(stage)
    run_by = {
        node["version"]["number"]: {
            runner["tenantName"]: len(runner["changes"]) for runner in node["runners"]
        }
        for node in nodes
    }
    if run_by != RUN_BY:
        found.append(f"who runs what: expected {RUN_BY}, found {run_by}")
    if not all(node["version"]["hasEvidence"] for node in nodes):
        found.append("a published version of the model has no measured outcomes")
    if reads.published(stage, stage.data["own_model"]["key"]) is None:
        found.append("the district's own model is not in the library")
    upgrade = reads.upgrade(stage, stage.data["upgrade"]["tenant"]) or {}
    decided = [
        tuple(row[name] for name in ("path", "old", "new", "own", "choice"))
        for row in upgrade.get("decisions", {"nodes": []})["nodes"]
    ]
    if upgrade.get("state") != "APPLIED" or decided != [CLASH]:
        found.append(f"the upgrade: expected applied with {CLASH}, found {upgrade}")
    asked = travel.what_if(stage)
    told = tuple(asked[name] for name in ("declarations", "wasFen", "wouldBeFen"))
    if told != WHAT_IF:
        found.append(f"what if: expected {WHAT_IF}, found {told}")
    return found


def _versions(stage: Stage) -> list[dict[str, Any]]:
    first = reads.published(stage, stage.data["model"]["key"]) or {}
    return stage.read(_LINEAGE, by=OPERATOR, id=first["id"])["lineage"]["versions"]


def _change(change: dict[str, Any] | None) -> tuple[str, str, str]:
    if change is None:
        return "–", "", ""
    return escape(change["path"]), _short(change["model"]), _short(change["here"])


def _short(value: Any) -> str:
    """A value in a cell: of an object its title."""
    if isinstance(value, dict):
        return str(value.get("title", {}).get("zh", "…"))
    return "–" if value is None else str(value)


def _amounts(row: dict[str, Any]) -> list[str]:
    return [f"¥{yuan(row[name])}" for name in ("wasFen", "wouldBeFen", "differenceFen")]
