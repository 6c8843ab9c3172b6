from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from linli.registry.models import Tenant
from linli.registry.template import migrate_schema, schema_exists


class Command(BaseCommand):
    help = "Bring the public schema and every tenant's up to date; name the tenants that fail."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate_schemas", shared=True, verbosity=0, interactive=False)
        failed = []
        for tenant in Tenant.objects.order_by("pk"):
            # One that was requested, or left by a killed run, gets its schema by `provision`.
            if not schema_exists(tenant.schema_name):
                continue
            try:
                migrate_schema(tenant.schema_name)
            except Exception as error:  # whatever it is, the others go on and it is named
                failed.append(tenant.slug)
                self.stderr.write(f"{tenant.slug}: {error}")
        if failed:
            raise CommandError(f"not migrated: {', '.join(failed)}")
