from django.db import migrations, models


class Migration(migrations.Migration):
    """The action says when, so that the trail can be written in the same round trip."""

    dependencies = [("partners", "0007_sizes")]

    operations = [
        migrations.AlterField(
            model_name="declaration",
            name="declared_at",
            field=models.DateTimeField(verbose_name="declared on"),
        ),
    ]
