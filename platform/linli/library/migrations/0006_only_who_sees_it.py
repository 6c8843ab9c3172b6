"""Of a published version the application changes who sees it and whether it is withdrawn, nothing else;
a published picture and an outcome it only adds."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("library", "0005_publishing")]

    operations = [
        TenantSQL(
            "GRANT UPDATE (visibility, audience_id, withdrawn_at, withdrawal_reason, version)"
            " ON library_publishedversion TO {app}"
        ),
        TenantSQL("REVOKE UPDATE, DELETE ON library_picture FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON library_outcome FROM {app}"),
    ]
