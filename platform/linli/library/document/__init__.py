"""The operating model's document: what may stand in it, reading it, its schema (M1)."""

from linli.library.document.model import OperatingModel
from linli.library.document.parts import KEY_PATTERN, RATE_PATTERN, Text
from linli.library.document.reading import (
    brief,
    canonical,
    digest,
    faults_in_parts,
    parse_document,
    plain,
    storable,
)
from linli.library.document.schema import SCHEMA_ID, json_schema
from linli.library.document.sections.contributions import (
    CombinedRule,
    ContributionRule,
    FixedRule,
    InKindRule,
    PerSessionRule,
    ShareRule,
    SimpleRule,
    TieredRule,
)

__all__ = [
    "KEY_PATTERN",
    "RATE_PATTERN",
    "SCHEMA_ID",
    "CombinedRule",
    "ContributionRule",
    "FixedRule",
    "InKindRule",
    "OperatingModel",
    "PerSessionRule",
    "ShareRule",
    "SimpleRule",
    "Text",
    "TieredRule",
    "brief",
    "canonical",
    "digest",
    "faults_in_parts",
    "json_schema",
    "parse_document",
    "plain",
    "storable",
]
