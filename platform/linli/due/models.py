"""Which tenants have something to be delivered, and from when on."""

from django.db import models


class Due(models.Model):
    """A tenant with deliveries to make. So that whoever delivers need not ask every schema, this is
    one narrow row a tenant, written by who makes deliveries due and by who makes them, never by
    the action that an event tells of."""

    tenant_id = models.UUIDField(primary_key=True)
    due_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="due_first")]

    def __str__(self) -> str:
        return f"{self.tenant_id} from {self.due_at}"
