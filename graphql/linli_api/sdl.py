"""The two schemas as committed SDL, next to the code."""

from pathlib import Path

from graphql import print_schema

from linli_api.schema import SCHEMAS

FOLDER = Path(__file__).parent
SIDES = tuple(SCHEMAS)


def committed(side: str) -> Path:
    return FOLDER / f"{side}.graphql"


def rendered() -> dict[str, str]:
    """What the committed files should hold now, by side."""
    return {side: print_schema(schema.graphql_schema) + "\n" for side, schema in SCHEMAS.items()}
