"""Run as a process of its own, logged in as the owner: migrate, load, provision."""

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from linli.registry.divisions import load_divisions  # noqa: E402
from linli.registry.models import Domain, Tenant  # noqa: E402
from linli.registry.provisioning import provision  # noqa: E402

# slug, name, kind, parent, division
TENANTS = [
    ("zibo", "淄博市", "city", None, "3703"),
    ("zhangdian", "张店区", "district", "zibo", "370303"),
    ("linzi", "临淄区", "district", "zibo", "370305"),
    ("chezhan", "车站街道", "street", "zhangdian", "370303001"),
    ("wenshao", "闻韶街道", "street", "linzi", "370305001"),
    ("datong", "大同市", "city", None, "1402"),
]


def fill() -> None:
    call_command("migrate_schemas", schema_name="public", verbosity=0, interactive=False)
    load_divisions()
    for slug, name, kind, parent, division in TENANTS:
        tenant = Tenant.objects.create(
            slug=slug,
            schema_name=f"t_{slug}",
            name=name,
            kind=kind,
            parent=Tenant.objects.get(slug=parent) if parent else None,
            division_id=division,
        )
        Domain.objects.create(tenant=tenant, domain=f"{slug}.linli.localhost", is_primary=True)
        provision(tenant.pk, actor=None)


if __name__ == "__main__":
    fill()
