"""The community development fund (社区发展基金): a ledger that balances by construction.

The application may only read accounts and postings. What writes them is one function of the
schema, ``fund_post``, which `tenants.fund.ledger` calls (migration 0002).
"""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from linli.money import MAX_FEN, FenField, fen_range
from linli.rules import one_of
from linli.tenancy.models import TenantModel
from tenants.communities.models import Community
from tenants.operating_model.models import RuleSnapshot
from tenants.partners.models import Contribution


class Source(models.TextChoices):
    """Where a fund's money may come from; each is an account ``source:<value>``."""

    STATIONED = "stationed", _("contributions of stationed partners")
    VISITING = "visiting", _("contributions of visiting partners")
    MARKET = "market", _("market proceeds")
    MICRO_WORKSHOP = "micro_workshop", _("micro-workshop shares")
    SPACE_RENT = "space_rent", _("space rents")
    DONATION = "donation", _("donations")
    GUARANTEE = "guarantee", _("government guarantee money")
    INCENTIVE = "incentive", _("government incentive money")


class Fund(TenantModel):
    """One fund per community, or one for the street; a host charity (慈善总会) holds it."""

    community = models.ForeignKey(
        Community,
        models.PROTECT,
        null=True,
        related_name="funds",
        db_index=False,  # fund_one_a_community is one
        verbose_name=_("community"),
    )
    host_charity = models.CharField(_("host charity"), max_length=100)
    opened_on = models.DateField(_("opened on"))
    sample = models.BooleanField(_("sample"), default=False)

    class Meta:
        verbose_name = _("fund")
        constraints = [
            models.UniqueConstraint(
                fields=["community"],
                nulls_distinct=False,
                name="fund_one_a_community",
                violation_error_message=_("This community has a fund already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.community or self.host_charity)


class Account(TenantModel):
    """A place of money: where it comes from, where it is held, what it was used for.

    ``code`` starts with the kind: ``source:stationed``, ``held:general``, ``use:activities``.
    The totals are in fen and only grow. A held account is never overdrawn; the database says so.
    """

    class Kind(models.TextChoices):
        """Where money comes from, is held, or went."""

        SOURCE = "source", _("source")
        HELD = "held", _("held")
        USE = "use", _("use")

    fund = models.ForeignKey(
        Fund,
        models.DO_NOTHING,
        related_name="accounts",
        db_index=False,  # account_code_once leads with it
        verbose_name=_("fund"),
    )
    code = models.CharField(_("code"), max_length=60)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    debits_fen = FenField(_("taken out (fen)"))
    credits_fen = FenField(_("put in (fen)"))

    class Meta:
        verbose_name = _("account")
        constraints = [
            models.UniqueConstraint(fields=["fund", "code"], name="account_code_once"),
            one_of("kind", "source", "held", "use", name="account_kind_known"),
            models.CheckConstraint(
                name="account_kind_leads_code",
                condition=Q(code__startswith=models.functions.Concat(F("kind"), models.Value(":"))),
            ),
            models.CheckConstraint(
                name="account_not_overdrawn",
                condition=~Q(kind="held") | Q(credits_fen__gte=F("debits_fen")),
                violation_error_message=_("The balance does not cover this."),
            ),
            fen_range("debits_fen", name="account_debits_range"),
            fen_range("credits_fen", name="account_credits_range"),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def balance_fen(self) -> int:
        """What was put in less what was taken out: negative for a source."""
        return self.credits_fen - self.debits_fen


class Spending(TenantModel):
    """Money asked for, approved and paid out: never approved and paid by one person.

    Proposed by the community, approved by the host charity's approver, paid by its cashier.
    """

    class Status(models.TextChoices):
        """How far a spending has come."""

        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        PAID = "paid", _("paid")

    fund = models.ForeignKey(
        Fund,
        models.PROTECT,
        related_name="spendings",
        db_index=False,  # spending_by_fund leads with it
        verbose_name=_("fund"),
    )
    account_code = models.CharField(_("paid from"), max_length=60)
    use = models.CharField(_("use"), max_length=40)
    purpose = models.CharField(_("purpose"), max_length=200)
    amount_fen = FenField(_("amount (fen)"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.PROPOSED
    )
    proposed_by_id = models.UUIDField(_("proposed by"))
    approved_by_id = models.UUIDField(_("approved by"), null=True)
    paid_by_id = models.UUIDField(_("paid by"), null=True)
    proposed_at = models.DateTimeField(_("proposed on"), auto_now_add=True)
    sample = models.BooleanField(_("sample"), default=False)

    class Meta:
        verbose_name = _("spending")
        constraints = [
            one_of("status", "proposed", "approved", "paid", name="spending_status_known"),
            fen_range("amount_fen", name="spending_amount_range", minimum=1),
            models.CheckConstraint(
                name="spending_two_pairs_of_eyes",
                condition=Q(approved_by_id=None)
                | (
                    ~Q(approved_by_id=F("proposed_by_id"))
                    & (Q(paid_by_id=None) | ~Q(paid_by_id=F("approved_by_id")))
                ),
                violation_error_message=_(
                    "Who proposes does not approve, and who approves does not pay."
                ),
            ),
            models.CheckConstraint(
                name="spending_status_has_its_people",
                condition=Q(status="proposed", approved_by_id=None, paid_by_id=None)
                | Q(status="approved", approved_by_id__isnull=False, paid_by_id=None)
                | Q(status="paid", approved_by_id__isnull=False, paid_by_id__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["fund", "id"], name="spending_by_fund")]

    def __str__(self) -> str:
        return self.purpose


class Posting(TenantModel):
    """A move of money from one account to another: one row, so it balances by construction.

    The legs of one event share ``group_id``. Nothing is edited: a mistake is reversed by a posting
    that names it, and the database lets each be reversed once.
    """

    class Kind(models.TextChoices):
        """Why money moved."""

        CONTRIBUTION = "contribution", _("contribution received")
        INCOME = "income", _("other income")
        ALLOCATION = "allocation", _("allocation")
        SPENDING = "spending", _("spending")
        REVERSAL = "reversal", _("reversal")

    group_id = models.UUIDField(_("event"))
    debit = models.ForeignKey(
        Account,
        models.DO_NOTHING,
        related_name="+",
        db_index=False,  # posting_by_debit leads with it
        verbose_name=_("taken from"),
    )
    credit = models.ForeignKey(
        Account,
        models.DO_NOTHING,
        related_name="+",
        db_index=False,  # posting_by_credit leads with it
        verbose_name=_("put into"),
    )
    amount_fen = FenField(_("amount (fen)"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    happened_on = models.DateField(_("day"))
    recorded_at = models.DateTimeField(_("recorded on"))
    posted_by_id = models.UUIDField(_("posted by"), null=True)
    note = models.CharField(_("note"), max_length=200, blank=True)
    # Why it moved: what it came from, and the rules in force.
    rules = models.ForeignKey(
        RuleSnapshot, models.DO_NOTHING, db_index=False, verbose_name=_("rules")
    )
    contribution = models.ForeignKey(
        Contribution, models.DO_NOTHING, null=True, related_name="postings"
    )
    spending = models.ForeignKey(Spending, models.DO_NOTHING, null=True, related_name="postings")
    reverses = models.OneToOneField("self", models.DO_NOTHING, null=True, related_name="reversal")

    class Meta:
        verbose_name = _("posting")
        constraints = [
            one_of(
                "kind",
                "contribution",
                "income",
                "allocation",
                "spending",
                "reversal",
                name="posting_kind_known",
            ),
            models.CheckConstraint(
                name="posting_amount_range",
                condition=Q(amount_fen__gte=1, amount_fen__lte=MAX_FEN),
            ),
            models.CheckConstraint(
                name="posting_between_two_accounts", condition=~Q(debit=F("credit"))
            ),
            models.CheckConstraint(
                name="posting_reversal_names_one",
                condition=Q(kind="reversal", reverses__isnull=False)
                | (~Q(kind="reversal") & Q(reverses=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["group_id"], name="posting_by_event"),
            models.Index(fields=["debit", "happened_on", "id"], name="posting_by_debit"),
            models.Index(fields=["credit", "happened_on", "id"], name="posting_by_credit"),
            models.Index(fields=["happened_on", "id"], name="posting_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_fen}"
