"""What was decided stays as it was decided: the application adds rows and changes none (M2).

Of a layer two columns may change, when a clashing policy comes into force after all.
"""

from django.db import migrations

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):
    dependencies = [("operating_model", "0001_initial")]

    operations = [
        TenantSQL("REVOKE UPDATE, DELETE ON operating_model_modelversion FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON operating_model_adoption FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON operating_model_rulesnapshot FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON operating_model_layer FROM {app}"),
        TenantSQL("GRANT UPDATE (state, effective_from) ON operating_model_layer TO {app}"),
    ]
