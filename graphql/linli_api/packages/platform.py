"""What the platform's schema shows of packages: the own key, and others'."""

from typing import Any

from linli.errors import Refused
from linli.library.signing import fingerprint, public_text, signing_key
from linli_api.connections import Connection
from linli_api.fields import ById, Field
from linli_api.packages import mutations
from linli_api.packages.types import SigningKey, TrustedSource


class Query:
    signing_key = Field(
        SigningKey,
        description="What packages of this installation are signed with; null where it has no key.",
    )
    trusted_source = ById(TrustedSource, description="One installation that is or was believed.")
    trusted_sources = Connection(
        TrustedSource, description="The installations whose packages are or were believed."
    )

    @staticmethod
    def resolve_signing_key(root: None, info: Any) -> dict[str, str] | None:
        try:
            public = signing_key().public_key()
        except Refused:
            return None
        return {"fingerprint": fingerprint(public), "public_key": public_text(public)}


MUTATIONS = [mutations.AddTrustedSource, mutations.RevokeTrustedSource]
