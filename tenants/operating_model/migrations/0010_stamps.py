"""The stamps of rules that were decided before there were stamps (`linli.registry.rules_stamp`)."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL

# As `tenants.operating_model.stamps` had it then. A tenant without one is served all the same.
_FIRST = """
    INSERT INTO public.registry_rulesstamp (tenant_id, stamp)
    SELECT tenant.id, (
        SELECT md5(coalesce(string_agg(told, ' ' ORDER BY told COLLATE "C"), '')) FROM (
            SELECT id || ' ' || to_char(effective_from, 'YYYY-MM-DD') AS told
              FROM operating_model_adoption
            UNION ALL
            SELECT id || ' ' || to_char(effective_from, 'YYYY-MM-DD')
              FROM operating_model_layer WHERE state = 'in_force'
        ) AS decided
    )
    FROM public.registry_tenant tenant WHERE tenant.schema_name = current_schema()
    ON CONFLICT (tenant_id) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("operating_model", "0009_governing"), ("registry", "0006_rules_stamp")]

    operations = [TenantSQL(_FIRST)]
