"""What was answered to a write that a client gave a key to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class KeptAnswer(models.Model):
    """The answer to one request, kept for a day under its client's own key.

    Written in the transaction of the writes it tells of: either both are there or neither.
    """

    pk = models.CompositePrimaryKey("owner_id", "key")
    # Whose key it is: the client, or the person where they asked by themselves.
    owner_id = models.UUIDField(_("whose key"))
    key = models.CharField(_("key"), max_length=255)
    # Over what was asked: the same key with anything else is a mistake.
    fingerprint = models.CharField(_("asked"), max_length=64)
    # JSON as text: jsonb would not give back the same bytes. Without the secrets it told.
    answer = models.TextField(_("answer"))
    kept_at = models.DateTimeField(_("answered on"))

    class Meta:
        verbose_name = _("kept answer")

    def __str__(self) -> str:
        return self.key
