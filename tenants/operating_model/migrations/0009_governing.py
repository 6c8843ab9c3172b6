"""Changes that wait until another has approved them. Of a row only the decision may be written."""

import django.db.models.deletion
import django.db.models.functions.comparison
import django.db.models.functions.text
import django.db.models.lookups
import uuid_utils.compat
from django.db import migrations, models

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):

    dependencies = [
        ('operating_model', '0008_drafts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangeRequest',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('adoption', 'adoption')], max_length=8, verbose_name='kind')),
                ('published_id', models.UUIDField(null=True, verbose_name='published version')),
                ('values', models.JSONField(null=True, verbose_name='values')),
                ('bounds', models.JSONField(null=True, verbose_name='bounds')),
                ('effective_from', models.DateField(verbose_name='in force from')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('adoptions_seen', models.PositiveIntegerField(verbose_name='adoptions until then')),
                ('layers_seen', models.PositiveIntegerField(verbose_name='layers until then')),
                ('state', models.CharField(choices=[('proposed', 'proposed'), ('approved', 'approved'), ('returned', 'returned'), ('withdrawn', 'withdrawn')], default='proposed', max_length=9, verbose_name='state')),
                ('proposed_by_id', models.UUIDField(verbose_name='proposed by')),
                ('proposed_at', models.DateTimeField(auto_now_add=True, verbose_name='proposed on')),
                ('decided_by_id', models.UUIDField(null=True, verbose_name='decided by')),
                ('decided_at', models.DateTimeField(null=True, verbose_name='decided on')),
                ('decision_reason', models.TextField(blank=True, verbose_name='why it was decided so')),
                ('adoption', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, to='operating_model.adoption', verbose_name='adoption')),
                ('version', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='operating_model.modelversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'change request',
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__regex', '^(adoption)$')), name='change_request_kind_known'), models.CheckConstraint(condition=models.Q(('state__regex', '^(proposed|approved|returned|withdrawn)$')), name='change_request_state_known'), models.UniqueConstraint(condition=models.Q(('state', 'proposed')), fields=('state',), name='change_request_one_open'), models.CheckConstraint(condition=models.Q(('decided_by_id', None), ('state', 'withdrawn'), models.Q(('decided_by_id', models.F('proposed_by_id')), _negated=True), _connector='OR'), name='change_request_two_pairs_of_eyes', violation_error_message='Who proposes a change does not decide on it.'), models.CheckConstraint(condition=models.Q(models.Q(('adoption', None), ('decided_at', None), ('decided_by_id', None), ('state', 'proposed')), models.Q(('decided_at__isnull', False), ('decided_by_id__isnull', False), ('state', 'approved')), models.Q(('adoption', None), ('decided_at__isnull', False), ('decided_by_id__isnull', False), ('state__regex', '^(returned|withdrawn)$')), _connector='OR'), name='change_request_state_has_its_decision'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'adoption'), ('state', 'approved'), _negated=True), ('adoption__isnull', False), _connector='OR'), name='change_request_adoption_names_it'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(models.Func(django.db.models.functions.comparison.Cast(models.F('values'), models.TextField()), function='octet_length', output_field=models.IntegerField()), 65536), name='change_request_values_size', violation_error_code='VALUE_TOO_LARGE', violation_error_message='A value here has 65536 bytes at most.'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(models.Func(django.db.models.functions.comparison.Cast(models.F('bounds'), models.TextField()), function='octet_length', output_field=models.IntegerField()), 65536), name='change_request_bounds_size', violation_error_code='VALUE_TOO_LARGE', violation_error_message='A value here has 65536 bytes at most.'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length(models.F('reason')), 1000), name='change_request_reason_length', violation_error_code='TEXT_TOO_LONG', violation_error_message='A text here has 1000 characters at most.'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length(models.F('decision_reason')), 1000), name='change_request_decision_length', violation_error_code='TEXT_TOO_LONG', violation_error_message='A text here has 1000 characters at most.')],
            },
        ),
        TenantSQL("REVOKE UPDATE, DELETE ON operating_model_changerequest FROM {app}"),
        TenantSQL(
            "GRANT UPDATE (state, decided_by_id, decided_at, decision_reason, adoption_id)"
            " ON operating_model_changerequest TO {app}"
        ),
    ]
