"""What stands already, read through GraphQL: each step of the arc asks before it writes."""

from typing import Any

from onboarding.demo.stage import OPERATOR, Stage


def tenants(stage: Stage) -> dict[str, dict[str, Any]]:
    found = nodes(stage, "tenants", "id slug status", by=OPERATOR)
    return {tenant["slug"]: tenant for tenant in found}


def streets(stage: Stage) -> list[dict[str, Any]]:
    return [tenant for tenant in stage.data["tenants"] if tenant["kind"] == "STREET"]


def communities(stage: Stage, slug: str) -> dict[str, dict[str, Any]]:
    fields = "id name profile residents buildings operatingCostFen sampleCost"
    rows = nodes(stage, "communities", fields, by=OPERATOR, at=slug)
    return {row["name"]: row for row in rows}


def community(stage: Stage, slug: str, name: str) -> str:
    return communities(stage, slug)[name]["id"]


def version(stage: Stage, slug: str, key: str, number: int = 1) -> dict[str, Any] | None:
    rows = nodes(stage, "modelVersions", "id key number", by=slug, at=slug)
    return next((row for row in rows if (row["key"], row["number"]) == (key, number)), None)


def adopted(stage: Stage, slug: str) -> list[dict[str, Any]]:
    return nodes(stage, "adoptions", "id", by=slug, at=slug)


def waiting(stage: Stage, slug: str) -> dict[str, Any] | None:
    """The change that waits there for approval."""
    rows = nodes(stage, "changeRequests", "id state", by=slug, at=slug)
    return next((row for row in rows if row["state"] == "PROPOSED"), None)


def upgrade(stage: Stage, slug: str) -> dict[str, Any] | None:
    """The last one there, with what clashes and what was decided; most others have none."""
    rows = nodes(stage, "upgrades", "id openedAt", by=slug, at=slug)
    if not rows:
        return None
    return stage.read(
        """query($id: ID!) { upgrade(id: $id) { id version state target { key number }
             questions { path old new own setBy setBecause isOpen seen }
             decisions { nodes { path old new own choice reason } } } }""",
        by=slug, at=slug, id=max(rows, key=lambda row: row["openedAt"])["id"],
    )["upgrade"]  # fmt: skip


def layers(stage: Stage, slug: str, kind: str) -> list[dict[str, Any]]:
    return [
        row for row in nodes(stage, "layers", "kind", by=OPERATOR, at=slug) if row["kind"] == kind
    ]


def published(stage: Stage, key: str, number: int = 1) -> dict[str, Any] | None:
    rows = nodes(stage, "publishedVersions", "id key number", by=OPERATOR)
    return next((row for row in rows if (row["key"], row["number"]) == (key, number)), None)


def funds(stage: Stage, slug: str) -> list[dict[str, Any]]:
    return nodes(stage, "funds", "id balanceFen", by=OPERATOR, at=slug)


def partner(stage: Stage, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """By its name; then, for a request has its price, with all that hangs on this one only."""
    by = at = wanted["tenant"]
    rows = nodes(stage, "partners", "id name", by=by, at=at)
    found = next((row["id"] for row in rows if row["name"] == wanted["name"]), None)
    return found and stage.read(
        """query($id: ID!) { partner(id: $id) { id name community { name } agreements { nodes {
             id declarations { nodes { startsOn contribution { id amountFen receivedFen } } }
           } } } }""",
        by=by, at=at, id=found,
    )["partner"]  # fmt: skip


def declarations(stage: Stage, wanted: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What a partner has declared, by the first day of the period."""
    found = partner(stage, wanted) or {}
    declared = found["agreements"]["nodes"][0]["declarations"]["nodes"]
    return {declaration["startsOn"]: declaration for declaration in declared}


def nodes(
    stage: Stage, connection: str, fields: str, *, by: str, at: str | None = None
) -> list[dict[str, Any]]:
    """Every node of a connection, page by page."""
    rows: list[dict[str, Any]] = []
    after = None
    while True:
        page = stage.read(
            f"query($after: String) {{ {connection}(first: 100, after: $after) {{"
            f" nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}",
            by=by, at=at, after=after,
        )[connection]  # fmt: skip
        rows += page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return rows
        after = page["pageInfo"]["endCursor"]
