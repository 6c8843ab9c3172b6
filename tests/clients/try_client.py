"""An integrator's program on the generated Python client. Arguments: the host and a search word.

Who asks is said by headers alone: a session's cookie and token, or later a bearer token.
"""

import json
import os
import sys
from datetime import date
from typing import Any

from linli_tenant import Client, DeclareIncomeInput
from linli_tenant.exceptions import GraphQLClientGraphQLMultiError

address, search = sys.argv[1:]
client = Client(url=f"{address}/graphql", headers=json.loads(os.environ["LINLI_HEADERS"]))
patiently: dict[str, Any] = {"timeout": 60}

communities = client.communities(search=search, **patiently).communities
assert communities
print("read", communities.totalCount, communities.nodes[0].name)

partners = communities.nodes[0].partners
assert partners
partner_id: str = partners.nodes[0].id
partner = client.partner(id=partner_id, **patiently).partner
assert partner
assert partner.agreements
agreement = partner.agreements.nodes[0]
starts_on: date = agreement.startsOn
print("days", starts_on.year)

given = DeclareIncomeInput(
    agreementId=agreement.id,
    startsOn=date(2026, 1, 1),
    endsOn=date(2026, 4, 1),
    incomeFen=10_000_000,
    sample=True,
)
written = client.declare_income(input=given, **patiently).declareIncome
assert written.contribution
amount_fen: int = written.contribution.amountFen
print("written", amount_fen > 0, written.errors)

again = client.declare_income_again(input=given, **patiently).declareIncome
print("refused", again.contribution, [error.code for error in again.errors])

try:
    client.partner(id="nobody", **patiently)
except GraphQLClientGraphQLMultiError as error:
    print("error", [(one.extensions or {}).get("code") for one in error.errors])
