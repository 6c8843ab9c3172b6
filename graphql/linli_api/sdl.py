"""The two schemas, the shapes of events, and codes and headers, as committed SDL next to the code."""

from pathlib import Path

from graphql import print_schema

from linli_api.events.shapes import shapes
from linli_api.evolution.http import http
from linli_api.schema import SCHEMAS

FOLDER = Path(__file__).parent
SIDES = (*SCHEMAS, "events", "http")


def committed(side: str) -> Path:
    return FOLDER / f"{side}.graphql"


def rendered() -> dict[str, str]:
    """What the committed files should hold now, by side."""
    built = {side: schema.graphql_schema for side, schema in SCHEMAS.items()}
    built |= {"events": shapes(), "http": http()}
    return {side: print_schema(schema) + "\n" for side, schema in built.items()}
