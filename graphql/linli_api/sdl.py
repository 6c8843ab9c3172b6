"""The two schemas, and the shapes of events, as committed SDL next to the code."""

from pathlib import Path

from graphql import print_schema

from linli_api.events.shapes import shapes
from linli_api.schema import SCHEMAS

FOLDER = Path(__file__).parent
SIDES = (*SCHEMAS, "events")


def committed(side: str) -> Path:
    return FOLDER / f"{side}.graphql"


def rendered() -> dict[str, str]:
    """What the committed files should hold now, by side."""
    built = {side: schema.graphql_schema for side, schema in SCHEMAS.items()}
    return {
        side: print_schema(schema) + "\n" for side, schema in (built | {"events": shapes()}).items()
    }
