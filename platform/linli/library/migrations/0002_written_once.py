"""What is published or issued is never changed; tenants run on copies of it."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]

    operations = [
        TenantSQL("REVOKE UPDATE, DELETE ON library_publishedversion FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON library_policy FROM {app}"),
    ]
