"""What came as a package and what was told of changes is never changed; a source is only revoked."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("library", "0008_packages")]

    operations = [
        TenantSQL("REVOKE UPDATE, DELETE ON library_packagefile FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON library_changerecord FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON library_trustedsource FROM {app}"),
        TenantSQL("GRANT UPDATE (revoked_at, revoked_reason) ON library_trustedsource TO {app}"),
    ]
