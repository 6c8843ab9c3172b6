from django.db import migrations


class Migration(migrations.Migration):
    """Until now a scope of a client counted in all that it covers."""

    dependencies = [("clients", "0003_where_scopes_count")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE public.clients_client
               SET scope_here = scope, scope_below = CASE WHEN covers_below THEN scope ELSE '' END
            """,
            migrations.RunSQL.noop,
        ),
    ]
