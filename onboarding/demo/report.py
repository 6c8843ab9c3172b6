"""What now stands, read back through GraphQL, and whether it is what the data asks for."""

from typing import Any

from rich.table import Table

from linli.money import yuan
from onboarding.demo import reads, travelled
from onboarding.demo.arc import compared
from onboarding.demo.client import DemoError, Host
from onboarding.demo.program import CLIENT_ID, SECRET, STREET
from onboarding.demo.stage import OPERATOR, PASSWORD, Stage

_STANDING = """{
  tenant { name kind status }
  communities(first: 1) { totalCount }
  partners(first: 1) { totalCount }
  funds(first: 100) { nodes { balanceFen } }
  adoptions(first: 100, orderBy: NEWEST) { nodes { version { key number } } }
}"""

# What the demo's data comes to: communities and villages, partners, the fund's balance in fen.
# Chezhan: 11 of the list and one newer; 3 % of 12 quarters' income of 2,840,000 yuan less 5,000.
# Wenshao: 4 % of 4,800,000. Sichoulu: 11 sessions at 80 yuan and 10,000 from markets.
EXPECTED = {
    "zibo": (0, 0, 0, None),
    "zhangdian": (0, 0, 0, None),
    "linzi": (0, 0, 0, None),
    "zhoucun": (0, 0, 0, None),
    "yiyuan": (0, 0, 0, None),
    "chezhan": (12, 6, 8_020_000, "chengnan v1"),
    "wenshao": (9, 3, 19_200_000, "chengnan v1"),
    "sichoulu": (9, 1, 1_088_000, "chengnan v1"),
    "nanma": (54, 0, 5_000_000, "chengnan v1"),
    "datong": (0, 0, 0, None),
    "pingcheng": (0, 0, 0, None),
    "shuibosi": (9, 0, 0, "chengnan v2"),
}
# The supervisor's view of self-reliance on the last day of 2025, when the fourth quarter had been
# declared and not yet received: own income by cost. None is missing, never zero.
SELF_RELIANCE = {
    "wenshao": "0.553846", "chezhan": "0.5325", "nanma": "0.555556", "sichoulu": None,
}  # fmt: skip


def standing(stage: Stage) -> dict[str, tuple[int, int, int, str | None]]:
    """By tenant: communities, partners, what the funds hold in fen, the model's version."""
    found = {}
    for tenant in stage.data["tenants"]:
        answer = stage.read(_STANDING, by=OPERATOR, at=tenant["slug"])
        adopted = answer["adoptions"]["nodes"]
        version = adopted[0]["version"] if adopted else None
        found[tenant["slug"]] = (
            answer["communities"]["totalCount"],
            answer["partners"]["totalCount"],
            sum(fund["balanceFen"] for fund in answer["funds"]["nodes"]),
            f"{version['key']} v{version['number']}" if version else None,
        )
    return found


def table(stage: Stage) -> Table:
    shown = Table(title="What now stands")
    for heading in (
        "tenant",
        "communities",
        "partners",
        "fund balance",
        "model",
        "address",
        "log-in",
    ):
        right = heading in ("communities", "partners", "fund balance")
        shown.add_column(heading, justify="right" if right else "left")
    names = {tenant["slug"]: tenant["name"] for tenant in stage.data["tenants"]}
    people = {person["username"] for person in stage.data["people"]}
    for slug, (communities, partners, balance, version) in standing(stage).items():
        shown.add_row(
            names[slug],
            str(communities or "–"),
            str(partners or "–"),
            f"¥{yuan(balance)}" if balance else "–",
            version or "–",
            address(stage, slug),
            slug if slug in people else "–",
        )
    return shown


def logins(stage: Stage) -> str:
    """Who can log in where; one password for all of the demo's people."""
    lines = [
        f"Log in at {address(stage)} with the password {PASSWORD} as:",
        f"  {OPERATOR:<10} 平台运营",
    ]
    for person in stage.data["people"]:
        lines.append(f"  {person['username']:<10} {person['name']} ({', '.join(person['at'])})")
    token = f"{address(stage, STREET)}/oauth/token"
    lines.append(f"Programs: client {CLIENT_ID}, secret {SECRET}, for a token of {token}")
    return "\n".join(lines)


def address(stage: Stage, slug: str | None = None) -> str:
    host = f"{slug}.{stage.platform}" if slug else stage.platform
    return f"http://{host}:{stage.port}"


def faults(stage: Stage) -> list[str]:
    """What is off: empty when everything stands as the data asks and the guards hold."""
    found = []
    actual = standing(stage)
    for slug, expected in EXPECTED.items():
        if actual[slug] != expected:
            found.append(f"{slug}: expected {expected}, found {actual[slug]}")
    rows = compared(stage, "self_reliance_rate")
    rates = {
        row["tenant"]["slug"]: row["value"]
        for row in rows
        if row["tenant"]["slug"] in SELF_RELIANCE
    }
    if rates != SELF_RELIANCE:
        found.append(f"self-reliance: expected {SELF_RELIANCE}, found {rates}")
    missing = {row["tenant"]["slug"]: row["missing"] for row in rows}
    if missing.get("sichoulu") is not True or missing.get("wenshao") is not False:
        found.append(f"missing figures are not shown as missing: {missing}")
    found += travelled.faults(stage)
    found += _guards(stage)
    return found


def _guards(stage: Stage) -> list[str]:
    """Refusals that must hold on the demo's own data."""
    found = []
    stranger = Host(f"chezhan.{stage.platform}", stage.port)
    stranger.get("/")  # the page sets the CSRF cookie
    here = stage.read(
        "{ communities(first: 1) { nodes { id } } }", by="chezhan", at="chezhan"
    )["communities"]["nodes"][0]["id"]  # fmt: skip
    for what, code, answer in (
        (
            "another tenant's community",
            "NOT_FOUND",
            _errors(stage.host("wenshao", "wenshao"), "query($id: ID!) { community(id: $id) { name } }", id=here),
        ),
        (
            "reading without a log-in",
            "UNAUTHENTICATED",
            _errors(stranger, "{ communities { nodes { name } } }"),
        ),
        (
            "a rate outside its bounds",
            "OUTSIDE_BOUNDS",
            _errors(
                stage.host("wenshao", "wenshao"),
                """mutation($input: SetLayerInput!) { setLayer(input: $input) {
                     errors { code field message } } }""",
                input={
                    "values": [{"path": "partners.contributions[stationed].rate", "value": "0.06"}],
                    "bounds": [],
                    "effectiveFrom": "2099-01-01",
                    "expectedVersion": len(reads.layers(stage, "wenshao", "STREET")),
                },
            ),
        ),
    ):  # fmt: skip
        if code not in answer:
            found.append(f"{what}: expected {code}, answered {answer}")
    return found


def _errors(host: Host, query: str, **variables: Any) -> str:
    try:
        return str(host.graphql(query, variables))
    except DemoError as error:
        return str(error)
