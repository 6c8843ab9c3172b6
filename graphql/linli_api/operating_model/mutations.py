"""What people decide about the rules."""

from collections.abc import Mapping
from typing import Any

import graphene
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli.library.models import PublishedVersion
from linli_api import ids
from linli_api.communities.types import CommunityProfile
from linli_api.inputs import IdOf, WholeDocument
from linli_api.library.types import VersionVisibility
from linli_api.mutation import Mutation
from linli_api.operating_model.inputs import bounds_list, by_path, values_list
from linli_api.operating_model.types import Adoption, Layer, ModelVersion
from linli_api.scalars import Date
from tenants.operating_model import actions, models

SEEN = (
    "The version of the last {what} that was seen, 0 where there is none: VERSION_CONFLICT, and "
    "nothing changed, if there is a later one by now."
)
DESPITE = (
    "True: also where running agreements no longer fit; unfitAgreements of the preview or of the upgrade lists them. Then say why; both "
    "are kept in the audit trail. Otherwise it is refused with AGREEMENTS_CLASH for each."
)
EFFECTIVE_FROM = "The first day it counts, today or later: past days keep their rules."


def check_layer_seen(given: Mapping[str, Any]) -> None:
    """Refused: VERSION_MISSING where the street's layer is replaced by who has not said it was seen."""
    replaces = given.get("values") is not None or given.get("bounds") is not None
    if replaces and given.get("expected_layer_version") is None:
        message = _(
            "Values and bounds replace what the street office has set. Say which version of its "
            "layer you saw: 0 where there is none."
        )
        raise Refused("VERSION_MISSING", message, field="expectedLayerVersion")


class WriteVersion(Mutation):
    """Writes the next version of an own model; it never changes from then on."""

    class Meta:
        permission = Permission.MODELS_AUTHOR

    class Input:
        key = graphene.String(
            required=True, description="Names the model; a known one gets its next number."
        )
        title = graphene.String(required=True, description="What people call it.")
        document = WholeDocument(
            required=True,
            description="The whole document, as JSON or as a string that holds JSON. Its JSON "
            "Schema is published. A fault's field is its path in the document.",
        )
        bounds = bounds_list(
            required=True, default_value=[], description="How far adopters may move."
        )
        notes = graphene.String(required=True, default_value="", description="What is new in it.")
        derived_from_id = IdOf(
            "ModelVersion",
            description="The version here that it was written from; left out, the last of the key.",
        )

    version = graphene.Field(ModelVersion, description="The new version.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"version": actions.write_version(actor=actor, **by_path(values))}


class CasePictureInput(graphene.InputObjectType):
    """A picture that was posted to /pictures, and what is said of it."""

    picture_id = IdOf(
        "Picture", required=True, description="What /pictures answered with, within a day."
    )
    alt = graphene.String(required=True, description="What it shows. 1 to 200 characters.")
    caption = graphene.String(
        required=True, default_value="", description="What stands under it; at most 500."
    )


class PublishVersion(Mutation):
    """Puts an own version into the library, with what was measured here in a period as evidence."""

    class Meta:
        permission = Permission.MODELS_PUBLISH

    class Input:
        version_id = IdOf("ModelVersion", required=True, description="Which version.")
        profiles = graphene.List(
            graphene.NonNull(CommunityProfile),
            required=True,
            description="The kinds of community it suits.",
        )
        case_text = graphene.String(
            required=True,
            default_value="",
            description="The case, in words; nothing personal in it.",
        )
        visibility = VersionVisibility(
            required=True,
            default_value=PublishedVersion.Visibility.ALL.value,
            description="Who sees it.",
        )
        evidence_starts_on = Date(
            description="The first day of the period whose measured outcomes go along; left out: "
            "published without evidence, and shown as such."
        )
        evidence_ends_on = Date(description="The first day after it, today at the latest.")
        pictures = graphene.List(
            graphene.NonNull(CasePictureInput),
            required=True,
            default_value=[],
            description="Pictures of the case, in this order. At most 20.",
        )

    version = graphene.Field(ModelVersion, description="The version that was published.")
    published_id = graphene.ID(
        description="Global id of the PublishedVersion: at the platform's host, and for adoptVersion."
    )

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        published = actions.publish_version(actor=actor, **values)
        version = ModelVersion.rows_for(actor).filter(pk=values["version_id"]).first()
        return {
            "version": version,
            "published_id": ids.encode("PublishedVersion", published.pk),
        }


class ChangeVisibility(Mutation):
    """Shows an own version in the library to others than before; whoever runs it keeps its copy."""

    class Meta:
        permission = Permission.MODELS_PUBLISH

    class Input:
        version_id = IdOf("ModelVersion", required=True, description="Which version.")
        visibility = VersionVisibility(required=True, description="Who sees it from now on.")
        expected_version = graphene.Int(
            description="The publication's version that was seen: VERSION_CONFLICT, and nothing "
            "changed, if somebody has changed it since."
        )

    version = graphene.Field(ModelVersion, description="The version, with its publication.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"version": _shown(actions.change_visibility(actor=actor, **values))}


class WithdrawVersion(Mutation):
    """Takes an own version out of the library: nobody adopts it from then on; whoever runs it keeps it
    and is told."""

    class Meta:
        permission = Permission.MODELS_PUBLISH

    class Input:
        version_id = IdOf("ModelVersion", required=True, description="Which version.")
        reason = graphene.String(
            required=True, description="Why; whoever runs it and whoever sees it reads that."
        )

    version = graphene.Field(ModelVersion, description="The version, with its publication.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"version": _shown(actions.withdraw_version(actor=actor, **values))}


def _shown(version: models.ModelVersion) -> models.ModelVersion | None:
    """By whoever may publish, be it that they may not read it: what is shown, its type decides."""
    return models.ModelVersion.objects.filter(pk=version.pk).first()


class AdoptVersion(Mutation):
    """Runs a version from a day on, with own values inside its bounds."""

    class Meta:
        permission = Permission.MODELS_ADOPT

    class Input:
        published_id = IdOf("PublishedVersion", description="One of the library; copied here.")
        version_id = IdOf("ModelVersion", description="Or one that is here.")
        effective_from = Date(
            required=True,
            description=f"{EFFECTIVE_FROM} Only the first adoption may name an earlier day.",
        )
        values = values_list(
            description="What the street office sets, all of it; left out: as it is."
        )
        bounds = bounds_list(description="What it narrows, all of it; left out: as it is.")
        expected_version = graphene.Int(
            required=True,
            description="The number of the last adoption that was seen, 0 where there is none: "
            "VERSION_CONFLICT, and nothing changed, if there is a later one by now.",
        )
        expected_layer_version = graphene.Int(
            description="Needed with values or bounds. "
            + SEEN.format(what="layer of the street office's")
        )
        reason = graphene.String(required=True, default_value="", description="Why.")
        despite_agreements = graphene.Boolean(
            required=True, default_value=False, description=DESPITE
        )

    adoption = graphene.Field(Adoption, description="The adoption.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        check_layer_seen(values)
        return {"adoption": actions.adopt_version(actor=actor, **by_path(values))}


class SetLayer(Mutation):
    """Sets what the street office, or one community, has on top of the model: all of it."""

    class Meta:
        permission = Permission.MODELS_OVERRIDE

    class Input:
        community_id = IdOf("Community", description="Left out for the street office's own.")
        values = values_list(
            required=True, description="What is set; what is not among it is no longer set."
        )
        bounds = bounds_list(required=True, description="What is narrowed for those below.")
        expected_version = graphene.Int(
            required=True, description=SEEN.format(what="layer of this place")
        )
        effective_from = Date(required=True, description=EFFECTIVE_FROM)
        reason = graphene.String(required=True, default_value="", description="Why.")
        despite_agreements = graphene.Boolean(
            required=True, default_value=False, description=DESPITE
        )

    layer = graphene.Field(Layer, description="The layer.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"layer": actions.set_layer(actor=actor, **by_path(values))}


class IssuePolicy(Mutation):
    """Binds every unit below this city or district from a day on; replaces its earlier one."""

    class Meta:
        permission = Permission.MODELS_ISSUE_POLICY

    class Input:
        values = values_list(required=True, description="What is set, all of it.")
        bounds = bounds_list(required=True, description="What those below may not leave.")
        expected_version = graphene.Int(
            required=True, description=SEEN.format(what="policy of this unit's")
        )
        effective_from = Date(required=True, description=EFFECTIVE_FROM)
        reason = graphene.String(required=True, default_value="", description="Why.")

    layer = graphene.Field(
        Layer, description="The policy as it stands here; each unit below gets a copy of its own."
    )

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        policy = actions.issue_policy(actor=actor, **by_path(values))
        # By whoever may issue, be it that they may not read it: what is shown, its type decides.
        return {"layer": models.Layer.objects.filter(policy_id=policy.pk).first()}
