"""What versions published before are found by from now on."""

from typing import Any

from django.db import migrations

from linli.library.search import grams, one_spelling


def fill(apps: Any, editor: Any) -> None:
    for version in apps.get_model("library.PublishedVersion").objects.select_related(
        "author__parent__parent"
    ):
        unit, version.under = version.author, []
        while unit is not None:
            version.under.append(unit.pk)
            unit = unit.parent
        version.place = version.author.division_id or ""
        version.searched = one_spelling(version.title, version.notes, version.case_text)
        version.grams = grams(version.searched)
        version.save(update_fields=["under", "place", "searched", "grams"])
        apps.get_model("library.Outcome").objects.bulk_create(
            apps.get_model("library.Outcome")(version=version, measure=measure, value=told["value"])
            for measure, told in version.evidence.items()
            if told["value"] is not None
        )


class Migration(migrations.Migration):
    dependencies = [("library", "0006_only_who_sees_it")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
