"""What lists of units and divisions are searched and ordered by."""

from django.db import migrations, models

# A part of a name, as `name__icontains` asks for it; pg_trgm comes with the database.
BY_PART = "CREATE INDEX {name} ON {table} USING gin (upper(name) public.gin_trgm_ops)"


def by_part(table: str, name: str) -> migrations.RunSQL:
    return migrations.RunSQL(BY_PART.format(name=name, table=table), f"DROP INDEX {name}")


class Migration(migrations.Migration):
    dependencies = [("registry", "0002_version")]

    operations = [
        migrations.AddIndex(
            model_name="tenant",
            index=models.Index(fields=["name", "id"], name="tenant_by_name"),
        ),
        by_part("registry_tenant", "tenant_by_part"),
        by_part("registry_division", "division_by_part"),
    ]
