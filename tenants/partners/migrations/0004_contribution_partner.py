import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("partners", "0003_indexes")]

    operations = [
        migrations.AddField(
            model_name="contribution",
            name="partner",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="contributions",
                to="partners.partner",
                verbose_name="partner",
            ),
        ),
    ]
