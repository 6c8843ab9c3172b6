"""What rules this tenant runs: frozen versions, what was set on top of them, and since when."""

from typing import Any, TypeVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from linli import sizes
from linli.rules import Versioned, one_of
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
    # What it was written from: an earlier number, or another's copy here. None for a model's first
    # that was written from nothing, and for a copy.
    derived_from = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("written from"),
    )
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


class Draft(Versioned, TenantModel):
    """A version that is still being written, by several people in turn (M2).

    ``document`` and ``bounds`` are kept as they were written, be they incomplete or wrong; finishing
    it makes the next version of ``key`` and ends the row. Who changed it last, and when, the trail
    tells.
    """

    key = models.SlugField(_("key"), max_length=60, db_index=False)
    title = models.CharField(_("title"), max_length=200)
    document = models.JSONField(_("document"))
    bounds = models.JSONField(_("bounds"))
    notes = models.TextField(_("notes"), blank=True)
    derived_from = models.ForeignKey(
        ModelVersion,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("written from"),
    )

    class Meta:
        verbose_name = _("draft")
        constraints = [
            sizes.largest("document", name="draft_document_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="draft_bounds_size", most=sizes.DOCUMENT),
            sizes.longest("notes", name="draft_notes_length", most=sizes.TEXT),
        ]

    def __str__(self) -> str:
        return self.title


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


class Upgrade(Versioned, TenantModel):
    """The way from the version in force to another one, decided place by place (M6).

    While it is open, what clashes is worked out anew each time it is read, so nothing here can be out
    of date; what people have decided stands in `UpgradeDecision`. Its version counts those decisions.
    ``before`` is what applying it replaced: the adoption, and by community (or null for the street)
    the layer that stood there, or null. Rolling back restores that.
    """

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", _("being decided")
        APPLIED = "applied", _("applied")
        GIVEN_UP = "given_up", _("given up")
        ROLLED_BACK = "rolled_back", _("rolled back")

    target = models.ForeignKey(
        ModelVersion,
        models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("new version"),
    )
    effective_from = models.DateField(_("in force from"))
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.OPEN)
    reason = models.TextField(_("reason"), blank=True)
    opened_by_id = models.UUIDField(_("opened by"), null=True)
    opened_at = models.DateTimeField(_("opened on"), auto_now_add=True)
    adoption = models.OneToOneField(
        Adoption, models.PROTECT, null=True, related_name="+", verbose_name=_("adoption")
    )
    before = models.JSONField(_("what it replaced"), null=True)

    class Meta:
        verbose_name = _("upgrade")
        constraints = [
            one_of(
                "state", "open", "applied", "given_up", "rolled_back", name="upgrade_state_known"
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="open"), name="upgrade_one_open"
            ),
            models.CheckConstraint(
                name="upgrade_applied_by_adoption",
                condition=Q(state__regex="^(open|given_up)$", adoption=None, before__isnull=True)
                | Q(
                    state__regex="^(applied|rolled_back)$",
                    adoption__isnull=False,
                    before__isnull=False,
                ),
            ),
            sizes.longest("reason", name="upgrade_reason_length", most=sizes.REASON),
        ]

    def __str__(self) -> str:
        return f"{self.target} from {self.effective_from}"


class UpgradeDecision(TenantModel):
    """What a person said of one place of an upgrade, with the three values it was said of.

    Rows are never changed: the last of a place counts, and one that says OPEN takes the earlier back.
    Of a place at which other values meet by now it says nothing any more.
    """

    class Aspect(models.TextChoices):
        """What of the place."""

        VALUE = "value", _("value")
        BOUND = "bound", _("bound")

    class Choice(models.TextChoices):
        """What is to stand there."""

        KEEP = "keep", _("keep our own")
        TAKE = "take", _("take the new one")
        SET = "set", _("set another")
        OPEN = "open", _("not decided")

    upgrade = models.ForeignKey(
        Upgrade,
        models.PROTECT,
        related_name="decisions",
        db_index=False,
        verbose_name=_("upgrade"),
    )
    community = models.ForeignKey(
        Community,
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("community"),
    )
    aspect = models.CharField(_("aspect"), max_length=5, choices=Aspect.choices)
    path = models.CharField(_("place"), max_length=400)
    choice = models.CharField(_("choice"), max_length=4, choices=Choice.choices)
    value = models.JSONField(_("value"), null=True)
    old = models.JSONField(_("the old version's"), null=True)
    new = models.JSONField(_("the new version's"), null=True)
    own = models.JSONField(_("our own"), null=True)
    reason = models.TextField(_("reason"), blank=True)
    decided_by_id = models.UUIDField(_("decided by"), null=True)
    decided_at = models.DateTimeField(_("decided on"), auto_now_add=True)

    class Meta:
        verbose_name = _("decision of an upgrade")
        constraints = [
            one_of("aspect", "value", "bound", name="upgrade_decision_aspect_known"),
            one_of("choice", "keep", "take", "set", "open", name="upgrade_decision_choice_known"),
            models.CheckConstraint(
                name="upgrade_decision_value_is_set",
                condition=Q(choice="set") | Q(value__isnull=True),
            ),
            sizes.largest("value", name="upgrade_decision_value_size", most=sizes.DOCUMENT),
            sizes.longest("reason", name="upgrade_decision_reason_length", most=sizes.REASON),
        ]
        indexes = [models.Index(fields=["upgrade", "id"], name="upgrade_decision_by_upgrade")]

    def __str__(self) -> str:
        return f"{self.path}: {self.choice}"


class ChangeRequest(TenantModel):
    """A change of the rules that waits until another has approved it (M5): one at a time.

    What is asked for never changes; of a row only its decision is ever written. It is approved,
    returned with a reason, or withdrawn: by those who asked, or when nothing can come of it any more.
    """

    class Kind(models.TextChoices):
        """What approval brings about."""

        ADOPTION = "adoption", _("adoption")
        UPGRADE = "upgrade", _("upgrade")
        ROLL_BACK = "rollback", _("roll back")

    class State(models.TextChoices):
        """How far it has come."""

        PROPOSED = "proposed", _("proposed")
        APPROVED = "approved", _("approved")
        RETURNED = "returned", _("returned")
        WITHDRAWN = "withdrawn", _("withdrawn")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    version = models.ForeignKey(
        ModelVersion, models.PROTECT, db_index=False, verbose_name=_("version")
    )
    # Where it was asked for out of the library: what became of it there counts when it is approved.
    published_id = models.UUIDField(_("published version"), null=True)
    # None: the street's layer is to stay as it is.
    values = models.JSONField(_("values"), null=True)
    bounds = models.JSONField(_("bounds"), null=True)
    effective_from = models.DateField(_("in force from"))
    reason = models.TextField(_("reason"), blank=True)
    # The upgrade, where it is one, and its version then: what was decided of it, the approver reads there.
    upgrade = models.ForeignKey(
        Upgrade, models.PROTECT, null=True, db_index=False, verbose_name=_("upgrade")
    )
    upgrade_seen = models.PositiveIntegerField(_("version of the upgrade"), null=True)
    # Of a roll back: what was set since the upgrade may go with it.
    give_up_later = models.BooleanField(_("give up later"), default=False, db_default=False)
    # Although agreements that are running would no longer fit.
    despite_agreements = models.BooleanField(
        _("despite agreements"), default=False, db_default=False
    )
    # How much had been decided when it was asked for: with anything more it is another change.
    adoptions_seen = models.PositiveIntegerField(_("adoptions until then"))
    layers_seen = models.PositiveIntegerField(_("layers until then"))
    state = models.CharField(
        _("state"), max_length=9, choices=State.choices, default=State.PROPOSED
    )
    proposed_by_id = models.UUIDField(_("proposed by"))
    proposed_at = models.DateTimeField(_("proposed on"), auto_now_add=True)
    decided_by_id = models.UUIDField(_("decided by"), null=True)
    decided_at = models.DateTimeField(_("decided on"), null=True)
    decision_reason = models.TextField(_("why it was decided so"), blank=True)
    adoption = models.ForeignKey(
        Adoption, models.PROTECT, null=True, db_index=False, verbose_name=_("adoption")
    )

    class Meta:
        verbose_name = _("change request")
        constraints = [
            one_of("kind", "adoption", "upgrade", "rollback", name="change_request_kind_known"),
            models.CheckConstraint(
                name="change_request_upgrade_names_it",
                condition=Q(kind="adoption", upgrade=None, upgrade_seen=None)
                | Q(
                    kind__regex="^(upgrade|rollback)$",
                    upgrade__isnull=False,
                    upgrade_seen__isnull=False,
                    values__isnull=True,
                    bounds__isnull=True,
                ),
            ),
            one_of(
                "state",
                "proposed",
                "approved",
                "returned",
                "withdrawn",
                name="change_request_state_known",
            ),
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="proposed"), name="change_request_one_open"
            ),
            models.CheckConstraint(
                name="change_request_two_pairs_of_eyes",
                condition=Q(decided_by_id=None)
                | Q(state="withdrawn")
                | ~Q(decided_by_id=F("proposed_by_id")),
                violation_error_message=_("Who proposes a change does not decide on it."),
            ),
            models.CheckConstraint(
                name="change_request_state_has_its_decision",
                condition=Q(state="proposed", decided_by_id=None, decided_at=None, adoption=None)
                | Q(state="approved", decided_by_id__isnull=False, decided_at__isnull=False)
                | Q(
                    state="returned",
                    decided_by_id__isnull=False,
                    decided_at__isnull=False,
                    adoption=None,
                )
                # By itself too, when nothing can come of it any more.
                | Q(state="withdrawn", decided_at__isnull=False, adoption=None),
            ),
            models.CheckConstraint(
                name="change_request_adoption_names_it",
                condition=~Q(state="approved") | Q(adoption__isnull=False),
            ),
            sizes.largest("values", name="change_request_values_size", most=sizes.DOCUMENT),
            sizes.largest("bounds", name="change_request_bounds_size", most=sizes.DOCUMENT),
            sizes.longest("reason", name="change_request_reason_length", most=sizes.REASON),
            sizes.longest(
                "decision_reason", name="change_request_decision_length", most=sizes.REASON
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} from {self.effective_from}"
