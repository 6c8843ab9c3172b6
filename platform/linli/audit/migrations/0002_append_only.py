"""The trail is inserted and read by the application, never changed."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [TenantSQL("REVOKE UPDATE, DELETE ON audit_entry FROM {app}")]
