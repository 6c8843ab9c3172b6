"""What a city or a district lays down about adopting, and what it offers: written once.

Of an offer only its withdrawal may be written.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.db.models.lookups
import uuid_utils.compat
from django.db import migrations, models

from linli.tenancy.operations import TenantSQL


class Migration(migrations.Migration):

    dependencies = [
        ('library', '0003_sizes'),
        ('registry', '0005_choices'),
    ]

    operations = [
        migrations.CreateModel(
            name='AdoptionRule',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('approver', models.CharField(choices=[('nobody', 'nobody else'), ('second_person', 'a second person of the unit'), ('district', 'the district'), ('city', 'the city')], max_length=13, verbose_name='who approves')),
                ('upgrades', models.CharField(choices=[('free', 'to each that is published'), ('when_offered', 'to those that were offered')], max_length=12, verbose_name='upgrades')),
                ('effective_from', models.DateField(verbose_name='in force from')),
                ('reason', models.TextField(blank=True, verbose_name='reason')),
                ('laid_down_at', models.DateTimeField(auto_now_add=True, verbose_name='laid down on')),
                ('issuer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adoption_rules', to='registry.tenant', verbose_name='laid down by')),
            ],
            options={
                'verbose_name': 'adoption rule',
                'constraints': [models.CheckConstraint(condition=models.Q(('approver__regex', '^(nobody|second_person|district|city)$')), name='adoptionrule_approver_known'), models.CheckConstraint(condition=models.Q(('upgrades__regex', '^(free|when_offered)$')), name='adoptionrule_upgrades_known'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length(models.F('reason')), 1000), name='adoptionrule_reason_length', violation_error_code='TEXT_TOO_LONG', violation_error_message='A text here has 1000 characters at most.')],
            },
        ),
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('id', models.UUIDField(default=uuid_utils.compat.uuid7, editable=False, primary_key=True, serialize=False)),
                ('units', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), null=True, size=None, verbose_name='offered to')),
                ('effective_from', models.DateField(verbose_name='from')),
                ('binding_by', models.DateField(null=True, verbose_name='to be applied by')),
                ('note', models.TextField(blank=True, verbose_name='note')),
                ('offered_at', models.DateTimeField(auto_now_add=True, verbose_name='offered on')),
                ('withdrawn_on', models.DateField(null=True, verbose_name='withdrawn on')),
                ('withdrawn_reason', models.TextField(blank=True, verbose_name='why it was withdrawn')),
                ('issuer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='registry.tenant', verbose_name='offered by')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='offers', to='library.publishedversion', verbose_name='version')),
            ],
            options={
                'verbose_name': 'offer',
                'constraints': [models.CheckConstraint(condition=models.Q(('units', None), ('units__len__gt', 0), _connector='OR'), name='offer_to_somebody'), models.CheckConstraint(condition=models.Q(('binding_by', None), ('binding_by__gte', models.F('effective_from')), _connector='OR'), name='offer_due_not_before_it_starts'), models.CheckConstraint(condition=models.Q(models.Q(('withdrawn_on', None), ('withdrawn_reason', '')), models.Q(('withdrawn_on__isnull', False), models.Q(('withdrawn_reason', ''), _negated=True)), _connector='OR'), name='offer_withdrawn_says_why'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length(models.F('note')), 10000), name='offer_note_length', violation_error_code='TEXT_TOO_LONG', violation_error_message='A text here has 10000 characters at most.'), models.CheckConstraint(condition=django.db.models.lookups.LessThanOrEqual(django.db.models.functions.text.Length(models.F('withdrawn_reason')), 1000), name='offer_reason_length', violation_error_code='TEXT_TOO_LONG', violation_error_message='A text here has 1000 characters at most.')],
            },
        ),
        TenantSQL("REVOKE UPDATE, DELETE ON library_adoptionrule FROM {app}"),
        TenantSQL("REVOKE UPDATE, DELETE ON library_offer FROM {app}"),
        TenantSQL("GRANT UPDATE (withdrawn_on, withdrawn_reason) ON library_offer TO {app}"),
    ]
