"""Contributions written before they named their partner: it is the agreement's."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("partners", "0004_contribution_partner")]

    operations = [
        migrations.RunSQL(
            """
            UPDATE partners_contribution c SET partner_id = a.partner_id
            FROM partners_declaration d JOIN partners_agreement a ON a.id = d.agreement_id
            WHERE d.id = c.declaration_id AND c.partner_id IS NULL
            """,
            migrations.RunSQL.noop,
        ),
    ]
