"""What the platform's schema shows of the library."""

from typing import Any

from django.conf import settings

from linli.library.document import SCHEMA_ID, json_schema
from linli_api.communities.types import CommunityProfile
from linli_api.connections import Connection, Filter
from linli_api.fields import ById, Field
from linli_api.guard import PUBLIC
from linli_api.library.types import OperatingModelSchema, PublishedVersion


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
    operating_model_schema = Field(
        OperatingModelSchema, permission=PUBLIC, description="How a model's document is written."
    )

    @staticmethod
    def resolve_operating_model_schema(root: None, info: Any) -> dict[str, Any]:
        return {
            "url": settings.LINLI_PLATFORM_URL.rstrip("/") + SCHEMA_ID,
            "schema": json_schema(),
        }
