"""What the platform's schema shows of who runs what, and how they fare."""

from collections import defaultdict
from datetime import date
from typing import Any

import graphene
from django.utils import timezone

from linli.library import lineage as descent
from linli_api import ids
from linli_api.batches import together
from linli_api.fields import Field
from linli_api.lineage.types import Descendant, Lineage, Peers
from linli_api.scalars import Date
from tenants.operating_model import peers as side_by_side

VERSION_ID = graphene.Argument(
    graphene.ID, required=True, description="Global id of a PublishedVersion of it."
)
UNDER_ID = graphene.Argument(
    graphene.ID, description="Global id of a Tenant: only it and those below it."
)
ON = Date(description="As of which day; today unless told.")


class Query:
    lineage = Field(
        Lineage,
        version_id=VERSION_ID,
        under_id=UNDER_ID,
        on=ON,
        description="All versions that one came from or that came from it, and who runs them.",
    )
    peers = Field(
        Peers,
        version_id=VERSION_ID,
        measures=graphene.Argument(
            graphene.List(graphene.NonNull(graphene.String)),
            required=True,
            description="Keys of 1 to 10 measures.",
        ),
        under_id=UNDER_ID,
        on=ON,
        description="The units on any version of a version's model, side by side on measures.",
    )

    @staticmethod
    def resolve_lineage(
        root: None, info: Any, version_id: str, under_id: str | None = None, on: date | None = None
    ) -> dict[str, Any]:
        actor, day = info.context.actor, on or timezone.localdate()
        key = ids.decode("PublishedVersion", version_id, field="versionId")
        versions = together(descent.relatives(actor=actor, version_id=key))
        found = together(
            descent.runners(actor=actor, versions=versions, on=day, under_id=_under(under_id))
        )
        by_version = defaultdict(list)
        for runner in found:
            by_version[runner.version_id].append(runner)
        nodes = [Descendant(version, by_version[version.pk]) for version in versions]
        return {"on": day, "versions": nodes}

    @staticmethod
    def resolve_peers(
        root: None,
        info: Any,
        version_id: str,
        measures: list[str],
        under_id: str | None = None,
        on: date | None = None,
    ) -> dict[str, Any]:
        day = on or timezone.localdate()
        found = side_by_side.peers(
            actor=info.context.actor,
            version_id=ids.decode("PublishedVersion", version_id, field="versionId"),
            measures=measures,
            under_id=_under(under_id),
            on=day,
        )
        together(one.version for one in found.versions)
        return {"on": day, "versions": found.versions, "units": found.units}


def _under(under_id: str | None) -> Any:
    return None if under_id is None else ids.decode("Tenant", under_id, field="underId")
