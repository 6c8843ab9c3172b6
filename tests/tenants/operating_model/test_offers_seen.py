"""M6: what is offered is seen by those it is offered to."""

import pytest

from linli.accounts.policy import system_actor
from linli.errors import Refused
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import publish_version
from tenants.operating_model.governing import offer_version

from .conftest import TODAY, nothing_written, write


@pytest.mark.parametrize(("visibility", "seen"), [("private", False), ("district", True)])
@pytest.mark.parametrize("to_all", [True, False])
def test_a_version_that_they_do_not_see_is_not_offered(
    at_street, district, visibility, seen, to_all
):
    actor = system_actor(district)
    with tenant_context(district):
        version = write(district)
        published = publish_version(
            actor=actor, version_id=version.pk, profiles=[], visibility=visibility
        )
        asked = {
            "actor": actor,
            "published_id": published.pk,
            "effective_from": TODAY,
            "unit_ids": None if to_all else [at_street.pk],
            "binding_by": TODAY,
        }
        if seen:
            assert offer_version(**asked).pk
            return
        with nothing_written(), pytest.raises(Refused) as refused:
            offer_version(**asked)
        assert (refused.value.code, refused.value.field) == ("NOT_SEEN_THERE", "publishedId")
