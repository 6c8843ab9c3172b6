"""Bringing in a package, and saying whose are believed."""

from typing import Any

import graphene

from linli.accounts.policy import Actor, Permission
from linli.library.packages.actions import add_trusted_source, revoke_trusted_source
from linli_api.inputs import IdOf
from linli_api.mutation import Mutation
from linli_api.packages.types import ImportedPackage, TrustedSource
from tenants.operating_model.packages import import_package


class ImportPackage(Mutation):
    """Puts the version in a signed file into the library, for all to adopt. The same file again
    changes nothing, and gives the same version."""

    class Meta:
        permission = Permission.LIBRARY_IMPORT
        cost = 50

    class Input:
        file = graphene.String(
            required=True,
            description="The file's whole text, as it was fetched at a packageUrl. One that is too large for a"
            " request, as with pictures, is posted to /packages.",
        )

    package = graphene.Field(ImportedPackage, description="What stands in the library now.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        version, _is_new = import_package(actor=actor, file=values["file"].encode())
        return {"package": version}


class AddTrustedSource(Mutation):
    """Believes the packages that another installation signs, from now on."""

    class Meta:
        permission = Permission.LIBRARY_TRUST

    class Input:
        name = graphene.String(required=True, description="What it shall be called here.")
        public_key = graphene.String(
            required=True,
            description="Its public key, which its signingKey shows: base64 or PEM. Have it told by a"
            " way that nobody could change it on, such as by telephone.",
        )
        reason = graphene.String(required=True, default_value="", description="Why; it is kept.")

    source = graphene.Field(TrustedSource, description="The source.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"source": add_trusted_source(actor=actor, **values)}


class RevokeTrustedSource(Mutation):
    """Believes nothing more that is signed by this key, for good. What was imported stays."""

    class Meta:
        permission = Permission.LIBRARY_TRUST

    class Input:
        trusted_source_id = IdOf("TrustedSource", required=True, description="Which source.")
        reason = graphene.String(required=True, description="Why; it is kept, and shown.")

    source = graphene.Field(TrustedSource, description="The source, revoked.")

    @classmethod
    def act(cls, *, actor: Actor, **values: Any) -> dict[str, Any]:
        return {"source": revoke_trusted_source(actor=actor, **values)}
