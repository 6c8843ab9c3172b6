"""What was decided of an upgrade stays; an upgrade itself is never taken out."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("operating_model", "0006_upgrades")]

    operations = [
        TenantSQL("REVOKE UPDATE, DELETE ON operating_model_upgradedecision FROM {app}"),
        TenantSQL("REVOKE DELETE ON operating_model_upgrade FROM {app}"),
    ]
