"""Telling that a published version was withdrawn, at its author and wherever there is a copy."""

from linli.accounts.policy import Actor
from linli.events.emit import emit
from tenants.operating_model.models import ModelVersion


def tell_withdrawn(actor: Actor | None, version: ModelVersion) -> None:
    """In the schema of the tenant whose version this is; nobody stands behind a job."""
    emit(
        actor=actor,
        type="model_version.withdrawn",
        obj=version,
        data={"key": version.key, "number": version.number},
    )
