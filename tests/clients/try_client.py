"""An integrator's program on the generated Python client. Arguments: the host and a search word.

Who asks is said by headers alone: a session's cookie and token, or later a bearer token.
"""

import json
import os
import sys
from datetime import date

import httpx
from linli_tenant import Client, DeclareIncomeInput
from linli_tenant.exceptions import GraphQLClientGraphQLMultiError

address, search = sys.argv[1:]
headers = json.loads(os.environ["LINLI_HEADERS"])
http = httpx.Client(headers=headers, timeout=60)
client = Client(url=f"{address}/graphql", http_client=http)

found = client.communities(search=search).communities
assert found is not None
partner_id: str = found.nodes[0].partners.nodes[0].id
print("read", found.total_count, found.nodes[0].name)

partner = client.partner(id=partner_id).partner
assert partner is not None
agreement = partner.agreements.nodes[0]
starts_on: date = agreement.starts_on
print("days", starts_on.year)

given = DeclareIncomeInput(
    agreement_id=agreement.id,
    starts_on=date(2026, 1, 1),
    ends_on=date(2026, 4, 1),
    income_yuan="100000.00",
    sample=True,
)
written = client.declare_income(input=given).declare_income
assert written.contribution is not None
amount_fen: int = written.contribution.amount_fen
print("written", amount_fen > 0, written.errors)

again = client.declare_income_again(input=given).declare_income
print("refused", again.contribution, [error.code for error in again.errors])

try:
    client.partner(id="nobody")
except GraphQLClientGraphQLMultiError as error:
    print("error", [(one.extensions or {}).get("code") for one in error.errors])
