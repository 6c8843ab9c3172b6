"""Community partners (社区合伙人), their agreements, what they declare and what they owe."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.money import FenField, fen_range
from linli.rules import Versioned, one_of
from linli.tenancy.models import TenantModel
from tenants.communities.models import Community
from tenants.operating_model.models import RuleSnapshot


class DateRange(Func):
    """``daterange(from, to)``, half-open, so that an exclusion constraint can compare periods."""

    function = "daterange"
    output_field = DateRangeField()


class Partner(Versioned, TenantModel):
    """Who runs a service in a community. ``kind`` is a key of the model's partner kinds (P1)."""

    community = models.ForeignKey(
        Community,
        models.PROTECT,
        related_name="partners",
        db_index=False,  # partner_once_a_community leads with it
        verbose_name=_("community"),
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=40)
    is_individual = models.BooleanField(_("a person, not an organisation"), default=False)
    joined_on = models.DateField(_("partner since"))
    sample = models.BooleanField(_("sample"), default=False)

    # A partner may be a person; the trail keeps the reference only.
    personal_fields = ("name",)

    class Meta:
        verbose_name = _("partner")
        constraints = [
            models.UniqueConstraint(
                fields=["community", "name"],
                name="partner_once_a_community",
                violation_error_message=_("This community has a partner of this name."),
            )
        ]
        indexes = [models.Index(fields=["name", "id"], name="partner_by_name")]

    def __str__(self) -> str:
        return self.name


class Agreement(TenantModel):
    """What a partner and a community agreed (P3), for the days [starts_on, ends_on).

    ``rule_key`` names the contribution rule of the model. ``agreed_rate`` is this agreement's own
    rate, where it has one; the bounds of the rules in force hold for it too.
    """

    class Mode(models.TextChoices):
        """How a partner is engaged: with a room of its own, or by the session."""

        STATIONED = "stationed", _("stationed")
        VISITING = "visiting", _("visiting")

    class Bearer(models.TextChoices):
        """Who pays for water, power and heating."""

        PARTNER = "partner", _("the partner")
        COMMUNITY = "community", _("the community")

    partner = models.ForeignKey(
        Partner,
        models.PROTECT,
        related_name="agreements",
        db_index=False,  # agreement_by_partner leads with it
        verbose_name=_("partner"),
    )
    mode = models.CharField(_("engagement mode"), max_length=10, choices=Mode.choices)
    rule_key = models.CharField(_("contribution rule"), max_length=40)
    agreed_rate = models.DecimalField(_("agreed rate"), max_digits=9, decimal_places=8, null=True)
    services = models.TextField(_("services and quality"), blank=True)
    spaces = models.TextField(_("spaces lent"), blank=True)
    utilities_borne_by = models.CharField(
        _("utilities borne by"), max_length=10, choices=Bearer.choices, default=Bearer.PARTNER
    )
    rent_free_months = models.PositiveSmallIntegerField(_("rent-free months"), default=0)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until (not included)"))
    sample = models.BooleanField(_("sample"), default=False)

    class Meta:
        verbose_name = _("agreement")
        constraints = [
            one_of("mode", "stationed", "visiting", name="agreement_mode_known"),
            one_of("utilities_borne_by", "partner", "community", name="agreement_bearer_known"),
            models.CheckConstraint(
                name="agreement_ends_after_start", condition=Q(ends_on__gt=F("starts_on"))
            ),
            models.CheckConstraint(
                name="agreement_rate_is_a_share",
                condition=Q(agreed_rate=None) | Q(agreed_rate__gte=0, agreed_rate__lte=1),
            ),
            sizes.longest("services", name="agreement_services_length", most=sizes.TEXT),
            sizes.longest("spaces", name="agreement_spaces_length", most=sizes.TEXT),
            # Rules may combine; one rule twice would have the same income declared twice.
            ExclusionConstraint(
                name="agreement_rule_once",
                expressions=[
                    ("partner", RangeOperators.EQUAL),
                    ("rule_key", RangeOperators.EQUAL),
                    (
                        DateRange("starts_on", "ends_on", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]
        indexes = [
            models.Index(fields=["partner", "starts_on", "id"], name="agreement_by_partner"),
            models.Index(fields=["starts_on", "id"], name="agreement_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.partner} {self.starts_on}"


class Declaration(TenantModel):
    """What a partner declares for the days [starts_on, ends_on): income in fen, or sessions."""

    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        related_name="declarations",
        db_index=False,  # declaration_by_agreement leads with it
        verbose_name=_("agreement"),
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(_("until (not included)"))
    income_fen = FenField(_("declared income (fen)"), default=0)
    sessions = models.PositiveIntegerField(_("sessions held"), default=0)
    declared_at = models.DateTimeField(_("declared on"))
    sample = models.BooleanField(_("sample"), default=False)

    class Meta:
        verbose_name = _("declaration")
        constraints = [
            models.CheckConstraint(
                name="declaration_ends_after_start", condition=Q(ends_on__gt=F("starts_on"))
            ),
            fen_range("income_fen", name="declaration_income_range"),
            ExclusionConstraint(
                name="declaration_days_once",
                expressions=[
                    ("agreement", RangeOperators.EQUAL),
                    (
                        DateRange("starts_on", "ends_on", RangeBoundary()),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message=_("These days have been declared already."),
            ),
        ]
        indexes = [
            models.Index(fields=["agreement", "starts_on", "id"], name="declaration_by_agreement"),
            models.Index(fields=["starts_on", "id"], name="declaration_by_start"),
        ]

    def __str__(self) -> str:
        return f"{self.agreement_id} {self.starts_on}–{self.ends_on}"


class Contribution(TenantModel):
    """What a declaration makes the partner owe the fund (反哺, P4), with the working-out.

    The partner is the agreement's, kept here because what a partner owes is asked for by partner.

    ``lines`` are the facts of each step (`tenants.partners.working`), rendered in the reader's
    language by ``explain``. ``rules`` is the snapshot in force on the period's last day; a line of
    earlier days names its own.
    """

    declaration = models.OneToOneField(
        Declaration, models.PROTECT, related_name="contribution", verbose_name=_("declaration")
    )
    partner = models.ForeignKey(
        Partner,
        models.PROTECT,
        related_name="contributions",
        verbose_name=_("partner"),
        db_index=False,  # `contribution_by_partner` serves
    )
    amount_fen = FenField(_("amount owed (fen)"))
    lines = models.JSONField(_("working-out"))
    rules = models.ForeignKey(RuleSnapshot, models.PROTECT, db_index=False, verbose_name=_("rules"))
    worked_out_at = models.DateTimeField(_("worked out on"), auto_now_add=True)

    class Meta:
        verbose_name = _("contribution")
        constraints = [fen_range("amount_fen", name="contribution_amount_range")]
        indexes = [
            models.Index(
                fields=["partner", "id"], include=["amount_fen"], name="contribution_by_partner"
            )
        ]

    def __str__(self) -> str:
        return f"{self.amount_fen} fen"
