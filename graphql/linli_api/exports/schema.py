"""The schema that this domain is part of, and runs documents of."""

import graphene


def own_schema() -> graphene.Schema:
    """Found when it is asked for: it is put together of its domains, this one among them."""
    from linli_api.schema import tenant_schema

    return tenant_schema
