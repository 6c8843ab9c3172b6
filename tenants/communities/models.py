"""Communities (社区) and villages of a tenant."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.money import FenField, fen_range
from linli.rules import Versioned, one_of
from linli.tenancy.models import TenantModel


class Community(Versioned, TenantModel):
    """A community of the street office (or small city) whose schema this is.

    The figures are None where no account gives them: unknown is never zero.
    """

    class Profile(models.TextChoices):
        """The community profile a model suits."""

        AGEING = "ageing", _("ageing")
        YOUNG = "young", _("young")
        OLD_ESTATE = "old_estate", _("old estate")
        NEW_ESTATE = "new_estate", _("new estate")

    name = models.CharField(_("name"), max_length=100)
    # An attribute, never identity: some communities are newer than any list (domain §5).
    division_code = models.CharField(_("division code"), max_length=12, null=True, blank=True)  # noqa: DJ001
    profile = models.CharField(_("profile"), max_length=12, choices=Profile.choices, blank=True)
    residents = models.PositiveIntegerField(_("residents"), null=True)
    buildings = models.PositiveIntegerField(_("buildings"), null=True)
    operating_cost_fen = FenField(_("operating cost a year (fen)"), null=True)
    opened_on = models.DateField(_("on board since"))
    # A made-up cost, where nobody published one: the demo's data says so of itself.
    sample_cost = models.BooleanField(_("sample cost"), default=False)

    class Meta:
        verbose_name = _("community")
        constraints = [
            one_of(
                "profile",
                "",
                "ageing",
                "young",
                "old_estate",
                "new_estate",
                name="community_profile_known",
            ),
            models.UniqueConstraint(
                fields=["division_code"],
                name="community_code_once",
                violation_error_message=_("A community with this division code is on board."),
            ),
            models.CheckConstraint(
                name="community_code_is_12_digits",
                condition=Q(division_code=None) | Q(division_code__regex=r"^\d{12}$"),
                violation_error_message=_("A community's division code has 12 digits."),
            ),
            fen_range("operating_cost_fen", name="community_cost_range"),
        ]
        indexes = [models.Index(fields=["name", "id"], name="community_by_name")]

    def __str__(self) -> str:
        return self.name


class Fact(Versioned, TenantModel):
    """Something an account states about a community, or about the tenant as a whole.

    ``key`` is a path in the words of the account (``volunteers``, ``markets.this_year``),
    ``source`` says which account, and a value nobody published says ``sample`` of itself. What
    the software works out by rules is never a fact.
    """

    community = models.ForeignKey(
        Community,
        models.PROTECT,
        null=True,
        related_name="facts",
        db_index=False,  # fact_stated_once leads with it
        verbose_name=_("community"),
    )
    key = models.CharField(_("what"), max_length=100)
    value = models.JSONField(_("value"), validators=[sizes.AtMost(sizes.VALUE)])
    source = models.CharField(_("source"), max_length=200)
    sample = models.BooleanField(_("sample"), default=False)

    class Meta:
        verbose_name = _("fact")
        constraints = [
            models.UniqueConstraint(
                fields=["community", "key"], nulls_distinct=False, name="fact_stated_once"
            ),
            sizes.largest("value", name="fact_value_size", most=sizes.VALUE),
        ]
        indexes = [models.Index(fields=["key", "id"], name="fact_by_key")]

    def __str__(self) -> str:
        return f"{self.key} = {self.value}"
