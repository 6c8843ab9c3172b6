"""What rules this tenant runs: frozen versions, what was set on top of them, and since when."""

from typing import Any, TypeVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.rules import one_of
from linli.tenancy.models import TenantModel, TenantQuerySet
from tenants.communities.models import Community
from tenants.operating_model.stamps import guard_deciding


class ModelVersion(TenantModel):
    """One immutable version of an operating model (M2): written here, or a frozen copy (M3).

    ``document`` is the brief document, ``bounds`` its author's bounds by path, ``digest`` the
    SHA-256 over both. A copy carries the id of the published version it was made from. The
    application's log-in cannot change or delete a row.
    """

    key = models.SlugField(_("key"), max_length=60, db_index=False)
    number = models.PositiveIntegerField(_("number"))
    title = models.CharField(_("title"), max_length=200)
    document = models.JSONField(_("document"))
    bounds = models.JSONField(_("bounds"))
    digest = models.CharField(_("digest"), max_length=64)
    notes = models.TextField(_("notes"), blank=True)
    # The tenant that wrote it, with its name as of then, and the published version a copy was made
    # from: both in the public schema.
    author_id = models.UUIDField(_("author"))
    author_name = models.CharField(_("author"), max_length=100)
    published_id = models.UUIDField(_("published version"), null=True)
    created_at = models.DateTimeField(_("written on"), auto_now_add=True)

    class Meta:
        verbose_name = _("model version")
        constraints = [
            models.UniqueConstraint(
                fields=["author_id", "key", "number"], name="model_version_once"
            ),
            sizes.largest("document", name="model_version_document_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="model_version_bounds_size", most=sizes.DOCUMENT),
            sizes.longest("notes", name="model_version_notes_length", most=sizes.TEXT),
        ]
        indexes = [models.Index(fields=["key", "number", "id"], name="model_version_by_key")]

    def __str__(self) -> str:
        return f"{self.key} v{self.number}"


_Row = TypeVar("_Row", bound=models.Model)


class _DecidedRows(TenantQuerySet[_Row]):
    def _guard(self) -> None:
        guard_deciding(self.model.__name__)
        super()._guard()

    def bulk_create(self, *args: Any, **kwargs: Any) -> list[_Row]:
        guard_deciding(self.model.__name__)
        return super().bulk_create(*args, **kwargs)


class Decided(TenantModel):
    """A row that rules are made of: written inside of `one_at_a_time`, which moves their stamp."""

    objects = _DecidedRows.as_manager()  # type: ignore[misc]

    class Meta(TenantModel.Meta):
        abstract = True

    def guard(self) -> None:
        guard_deciding(type(self).__name__)
        super().guard()


class Adoption(Decided):
    """From ``effective_from`` on, this tenant's rules start from ``version`` (M5).

    Of several for one day the one decided last counts.
    """

    version = models.ForeignKey(
        ModelVersion, models.PROTECT, db_index=False, verbose_name=_("version")
    )
    effective_from = models.DateField(_("in force from"))
    decided_at = models.DateTimeField(_("decided on"), auto_now_add=True)

    class Meta:
        verbose_name = _("adoption")

    def __str__(self) -> str:
        return f"{self.version} from {self.effective_from}"


class Layer(Decided):
    """What one authority set on top of the model, from a day on (M3).

    A later row of the same place replaces the earlier one whole, from its day on; days before keep
    theirs, and of several for one day the one decided last counts. ``values`` and ``bounds`` are
    by path. A policy from above that clashes with what stands below it waits as CLASHING until a
    person has mended that, and is in force from the day it then comes to be.
    """

    class Kind(models.TextChoices):
        """In the order they bind: the deepest comes last."""

        CITY = "city", _("city policy")
        DISTRICT = "district", _("district policy")
        STREET = "street", _("street office")
        COMMUNITY = "community", _("community")

    class State(models.TextChoices):
        """Whether what was set counts."""

        IN_FORCE = "in_force", _("in force")
        CLASHING = "clashing", _("clashing, to be decided")

    kind = models.CharField(_("set by"), max_length=10, choices=Kind.choices)
    community = models.ForeignKey(
        Community, models.PROTECT, null=True, related_name="layers", verbose_name=_("community")
    )
    # Who set it, as people know it: 张店区, 车站街道, 城南社区.
    set_by = models.CharField(_("name"), max_length=100)
    values = models.JSONField(_("values"))
    bounds = models.JSONField(_("bounds"))
    effective_from = models.DateField(_("in force from"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.IN_FORCE
    )
    reason = models.TextField(_("reason"), blank=True)
    # The policy this row is a frozen copy of, in the public schema.
    policy_id = models.UUIDField(_("policy"), null=True)
    decided_at = models.DateTimeField(_("decided on"), auto_now_add=True)

    class Meta:
        verbose_name = _("layer")
        constraints = [
            one_of("kind", "city", "district", "street", "community", name="layer_kind_known"),
            one_of("state", "in_force", "clashing", name="layer_state_known"),
            models.CheckConstraint(
                name="layer_community_has_one",
                condition=Q(kind="community", community__isnull=False)
                | (~Q(kind="community") & Q(community=None)),
            ),
            models.UniqueConstraint(fields=["policy_id"], name="layer_policy_once"),
            sizes.largest("values", name="layer_values_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="layer_bounds_size", most=sizes.DOCUMENT),
            sizes.longest("reason", name="layer_reason_length", most=sizes.REASON),
        ]

    def __str__(self) -> str:
        return f"{self.set_by} from {self.effective_from}"


class RuleSnapshot(TenantModel):
    """Effective rules, frozen at the moment something was worked out from them.

    ``content`` holds every value with where it came from. A contribution and a posting name the
    snapshot, so each yuan leads back to the rule that moved it. Equal rules share one row.
    """

    digest = models.CharField(_("digest"), max_length=64)
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, db_index=False, verbose_name=_("version")
    )
    # Whose own layer is part of these rules; None where no community has set anything.
    community = models.ForeignKey(
        Community,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("community"),
    )
    content = models.JSONField(_("content"))
    frozen_at = models.DateTimeField(_("frozen on"), auto_now_add=True)

    class Meta:
        verbose_name = _("rule snapshot")
        constraints = [models.UniqueConstraint(fields=["digest"], name="rule_snapshot_once")]

    def __str__(self) -> str:
        return self.digest[:12]
