"""Bringing a model from a place that shares no installation with this one (M5)."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from linli.accounts.policy import Actor, Permission
from linli.errors import Refused
from linli.events.emit import emit
from linli.library.models import PublishedVersion
from linli.library.packages.actions import take_in
from linli.registry.selectors import is_sandbox
from tenants.communities.models import Community
from tenants.operating_model.proposals import tenant_of


def import_package(*, actor: Actor, file: bytes) -> tuple[PublishedVersion, bool]:
    """Put the version in a signed file into the library, under this unit's name, for every tenant.

    Second: whether it is new here. The same file again changes nothing and gives the same version.
    Refused: SANDBOX_STAYS_INSIDE, and what `take_in` refuses.
    """
    actor.require(Permission.LIBRARY_IMPORT)
    tenant = tenant_of(actor)
    if is_sandbox(tenant):
        message = _("What a sandbox holds is made up, and stays inside it.")
        raise Refused("SANDBOX_STAYS_INSIDE", message)
    with transaction.atomic():
        version, is_new = take_in(
            actor=actor, importer=tenant, file=file, profiles=Community.Profile.values
        )
        if is_new:
            emit(
                actor=actor,
                type="package.imported",
                obj=version,
                data={
                    "key": version.key,
                    "number": version.number,
                    "author_name": version.origin_name,
                    "digest": version.digest,
                },
            )
    return version, is_new
