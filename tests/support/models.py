"""An operating model for tests that are about something else: Chengnan's, as it stands."""

import json
from datetime import date
from pathlib import Path

from linli.accounts.policy import system_actor
from linli.registry.models import Tenant
from tenants.operating_model.actions import adopt_version, write_version
from tenants.operating_model.models import Adoption, ModelVersion

CHENGNAN = Path(__file__).parents[1] / "linli" / "library" / "chengnan.json"


def chengnan() -> dict:
    """Waterfall: services 50 %, property 40 %, volunteers 10 %; 3 % of takings; ¥50 a session."""
    return json.loads(CHENGNAN.read_text())


def write_chengnan(tenant: Tenant, bounds: dict | None = None) -> ModelVersion:
    """In the tenant's schema: its own version 1, with a rate between 1 % and 5 %."""
    return write_version(
        actor=system_actor(tenant),
        key="chengnan",
        title="城南社区合伙人模式",
        document=chengnan(),
        bounds=bounds
        or {"partners.contributions[stationed].rate": {"minimum": "0.01", "maximum": "0.05"}},
        notes="",
    )


def adopt_chengnan(tenant: Tenant, *, effective_from: date) -> Adoption:
    """In the tenant's schema: Chengnan's model in force from a day on."""
    version = write_chengnan(tenant)
    return adopt_version(
        actor=system_actor(tenant), version_id=version.pk, effective_from=effective_from
    )
