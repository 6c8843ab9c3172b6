"""What the platform's schema shows of the library."""

from typing import Any

import graphene
from django.conf import settings

from linli.accounts.policy import Permission
from linli.library.comparing import Difference, compare, contents
from linli.library.document import SCHEMA_ID, json_schema
from linli_api.communities.types import CommunityProfile
from linli_api.connections import Connection, Filter
from linli_api.fields import ById, Field, by_id
from linli_api.guard import PUBLIC
from linli_api.library.types import OperatingModelSchema, PublishedVersion, VersionComparison


class Query:
    published_version = ById(PublishedVersion, description="One version in the library.")
    published_versions = Connection(
        PublishedVersion,
        filters={
            "profile": Filter(
                "profiles__contains", CommunityProfile(description="Of versions that suit it.")
            )
        },
        description="What any tenant may adopt.",
    )
    compare_versions = Field(
        VersionComparison,
        cost=20,
        from_id=graphene.ID(required=True, description="Of a PublishedVersion: what stood before."),
        to_id=graphene.ID(required=True, description="Of a PublishedVersion: what stands after."),
        permission=Permission.LIBRARY_READ,
        description="What differs between two versions in the library.",
    )
    operating_model_schema = Field(
        OperatingModelSchema, permission=PUBLIC, description="How a model's document is written."
    )

    @staticmethod
    def resolve_compare_versions(
        root: None, info: Any, from_id: str, to_id: str
    ) -> list[Difference]:
        actor = info.context.actor
        before = by_id(PublishedVersion, from_id, actor, field="fromId")
        after = by_id(PublishedVersion, to_id, actor, field="toId")
        return compare(contents(before), contents(after))

    @staticmethod
    def resolve_operating_model_schema(root: None, info: Any) -> dict[str, Any]:
        return {
            "url": settings.LINLI_PLATFORM_URL.rstrip("/") + SCHEMA_ID,
            "schema": json_schema(),
        }
