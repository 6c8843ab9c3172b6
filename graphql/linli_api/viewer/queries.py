from typing import Any

import graphene
from django.db.models import Model
from django.utils.translation import gettext as _

from linli.accounts.policy import Actor
from linli.errors import NotFound
from linli_api import ids
from linli_api.fields import Field, by_id
from linli_api.guard import MEMBER, check
from linli_api.types import Node, node_types
from linli_api.viewer.types import Viewer


class Query:
    viewer = Field(
        Viewer, permission=MEMBER, description="Who is asking, and what they may do here."
    )
    node = Field(
        Node,
        id=graphene.Argument(graphene.ID, required=True, description="Any object's global id."),
        permission=MEMBER,
        description="Any object by its global id.",
    )

    @staticmethod
    def resolve_viewer(root: None, info: Any) -> Actor:
        return info.context.actor

    @staticmethod
    def resolve_node(root: None, info: Any, id: str) -> Model:
        name = (ids.split(id) or ("",))[0]
        shown = node_types(info.schema).values()
        type_ = next((type_ for type_ in shown if type_._meta.name == name), None)
        if type_ is None:
            raise NotFound(_("object"), field="id")
        check(info.context.actor, type_._meta.permission)
        return by_id(type_, id, info.context.actor)
