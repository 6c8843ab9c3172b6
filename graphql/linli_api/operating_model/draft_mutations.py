"""What people do with versions that are still being written."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli_api import ids
from linli_api.inputs import EXPECTED_VERSION, IdOf, WholeDocument
from linli_api.mutation import Mutation
from linli_api.operating_model.inputs import bounds_list, by_path, values_list
from linli_api.operating_model.types import Draft, ModelVersion
from tenants.operating_model import drafts

KEPT = "Left out, or null, it stays as it is."


def _expected() -> graphene.Int:
    return graphene.Int(required=True, description=EXPECTED_VERSION)


class OpenDraft(Mutation):
    """Begins to write a model's next version: from one that is here, from one of the library, or
    from nothing."""

    class Meta:
        permission = Permission.MODELS_AUTHOR

    class Input:
        key = graphene.String(
            description="Of the model, a new one or a known one; left out, that of the version it "
            "is written from."
        )
        title = graphene.String(
            description="What people call it; left out, as the version it is written from."
        )
        version_id = IdOf("ModelVersion", description="One that is here.")
        published_id = IdOf("PublishedVersion", description="Or one of the library; copied here.")

    draft = graphene.Field(Draft, description="The draft.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"draft": drafts.open_draft(actor=actor, **values)}


class SaveDraft(Mutation):
    """Puts what is given in the place of what a draft holds. It may be incomplete or wrong: what
    cannot be kept at all is refused, anything else stands in problems."""

    class Meta:
        permission = Permission.MODELS_AUTHOR

    class Input:
        draft_id = IdOf("Draft", required=True, description="Which draft.")
        expected_version = _expected()
        document = WholeDocument(
            description=f"The whole document, as JSON or as a string that holds JSON. {KEPT}"
        )
        bounds = bounds_list(description=f"All bounds. {KEPT}")
        title = graphene.String(description=f"What people call it. {KEPT}")
        notes = graphene.String(description=f"What will be new in it. {KEPT}")
        derived_from_id = IdOf(
            "ModelVersion",
            description="The version here that it is written from by now, once what that holds has "
            f"been seen. {KEPT}",
        )

    draft = graphene.Field(Draft, description="The draft.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"draft": drafts.save_draft(actor=actor, **by_path(values))}


class EditDraft(Mutation):
    """Sets places of a draft's document; the rest stays as it is."""

    class Meta:
        permission = Permission.MODELS_AUTHOR

    class Input:
        draft_id = IdOf("Draft", required=True, description="Which draft.")
        expected_version = _expected()
        values = values_list(
            required=True,
            description="What is to stand where. An object with a new key at an item's path adds it.",
        )

    draft = graphene.Field(Draft, description="The draft.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"draft": drafts.edit_draft(actor=actor, **by_path(values))}


class DiscardDraft(Mutation):
    """Ends a draft without a version; what it held stands in the audit trail."""

    class Meta:
        permission = Permission.MODELS_AUTHOR

    class Input:
        draft_id = IdOf("Draft", required=True, description="Which draft.")
        expected_version = _expected()
        reason = graphene.String(required=True, default_value="", description="Why.")

    draft_id = graphene.ID(description="Of the draft that is no more.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        ended = drafts.discard_draft(actor=actor, **values)
        return {"draft_id": ids.encode("Draft", ended)}


class FinishDraft(Mutation):
    """Makes of a draft the next version of its model, which never changes; the draft ends."""

    class Meta:
        permission = Permission.MODELS_AUTHOR

    class Input:
        draft_id = IdOf("Draft", required=True, description="Which draft.")
        expected_version = _expected()
        notes = graphene.String(
            description="What is new in it; left out, or null, as the draft says."
        )

    version = graphene.Field(ModelVersion, description="The new version.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"version": drafts.finish_draft(actor=actor, **values)}
