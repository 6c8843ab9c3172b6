"""Signed files of versions, and whom this installation believes, as the API shows them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import graphene
from django.conf import settings
from django.urls import reverse

from linli.accounts.policy import Actor, Permission
from linli.library import models
from linli.library.packages import selectors
from linli_api.fields import Column, Computed, GlobalId, One
from linli_api.guard import INHERITED
from linli_api.library.types import PublishedVersion
from linli_api.scalars import DateTime
from linli_api.types import Object, extends


class TrustedSource(Object):
    """Another installation whose packages are believed, by the key that it signs them with."""

    class Meta:
        permission = Permission.LIBRARY_READ
        model = models.TrustedSource
        selector = selectors.trusted_sources
        orderings = {"NAME": ("name",), "NEWEST": ("-id",), "OLDEST": ("id",)}

    name = graphene.String(required=True, description="What it is called here.")
    fingerprint = graphene.String(required=True, description="Names the key in a package.")
    public_key = graphene.String(
        required=True, description="The Ed25519 key: base64 of its 32 bytes."
    )
    added_at = DateTime(required=True, description="Since when it is believed.")
    reason = graphene.String(required=True, description="Why; may be empty.")
    revoked_at = DateTime(description="Since when it is believed no more; null where it is.")
    revoked_reason = Column(
        graphene.String,
        of="revoked_reason",
        blank_is_null=True,
        description="Why it was revoked; null where it was not.",
    )


class ImportedPackage(Object):
    """A version in the library that came as a file; at the platform's host all of it is shown."""

    class Meta:
        permission = INHERITED

    published_id = GlobalId(
        "PublishedVersion",
        by="pk",
        required=True,
        description="Global id of the PublishedVersion: at the platform's host, and for adoptVersion.",
    )
    key = graphene.String(required=True, description="The model's.")
    number = graphene.Int(required=True, description="Of the version.")
    digest = graphene.String(required=True, description="SHA-256 over document and bounds.")
    author_name = graphene.String(required=True, description="Who wrote it, over there.")

    @staticmethod
    def resolve_author_name(version: models.PublishedVersion, info: Any) -> str:
        return version.written_by_name


class SigningKey(Object):
    """The key that packages of this installation are signed with."""

    class Meta:
        permission = Permission.LIBRARY_READ

    fingerprint = graphene.String(required=True, description="Names the key in a package.")
    public_key = graphene.String(
        required=True,
        description="The Ed25519 key, base64 of its 32 bytes: what others register to believe it.",
    )


def package_urls(rows: Sequence[models.PublishedVersion], actor: Actor) -> dict[UUID, str]:
    base = settings.LINLI_PLATFORM_URL.rstrip("/")
    return {row.pk: base + reverse("package", urlconf="linli.urls", args=[row.pk]) for row in rows}


@extends(PublishedVersion)
class PublishedVersionPackage:
    package_url = Computed(
        graphene.String,
        load=package_urls,
        description="Where its signed file is fetched, to be imported elsewhere.",
    )
    source = One(
        TrustedSource,
        by="source_id",
        description="The installation it came from; null for one that was published here.",
    )
    imported_by_name = Computed(
        graphene.String,
        load=selectors.importer_name_by_version,
        description="The unit that brought it here, by name; null for one published here.",
    )
    imported_at = DateTime(description="When it was brought here; null for one published here.")
