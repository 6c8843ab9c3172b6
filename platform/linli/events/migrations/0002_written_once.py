"""An event is written once; all that ever changes of it is its position."""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        TenantSQL("REVOKE UPDATE, DELETE ON events_event FROM {app}"),
        TenantSQL("GRANT UPDATE (position) ON events_event TO {app}"),
    ]
