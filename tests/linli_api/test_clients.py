"""Clients and personal tokens through the API, at a tenant's host and at the platform's."""

import pytest

from linli.accounts.policy import Role, actor_for
from linli.clients.actions import create_personal_token
from linli.clients.admission import admit
from linli.tenancy.context import tenant_context
from linli_api import ids
from tenants.communities.actions import add_community
from tests.support.api import ask, do, done, errors, refused, statements
from tests.support.programs import Program, program

CLIENT = "client { id name oauthId scopes coversBelow lastUsedAt revokedAt tenant { slug } }"
CLIENTS = "{ clients { nodes { name secrets { nodes { id revokedAt } } } } }"


@pytest.fixture
def administrator(street, actor_as):
    return actor_as(street, Role.STREET_ADMINISTRATOR)


def test_a_client_is_made_and_its_secret_shown(administrator, street):
    from linli.clients.models import Client

    given = {"name": "小程序", "scopes": ["fund:read", "partners:read"]}
    answer = do(administrator, "createClient", f"{CLIENT} secret", **given)
    assert answer["errors"] == []
    client = answer["client"]
    assert client == {
        "id": ids.encode("Client", Client.objects.get().pk),
        "name": "小程序",
        "oauthId": Client.objects.get().client_id,
        "scopes": ["partners:read", "fund:read"],
        "coversBelow": False,
        "lastUsedAt": None,
        "revokedAt": None,
        "tenant": {"slug": "chezhan"},
    }
    assert admit(Program(Client.objects.get(), answer["secret"]).token(), street)


def test_rotating_and_revoking(administrator, street):
    ours = program(administrator, "fund:read")
    client_id = ids.encode("Client", ours.client.pk)
    added = do(administrator, "addClientSecret", "secret clientSecret { id }", clientId=client_id)
    assert ours.asks_for_token(street, secret=added["secret"]).status_code == 200
    first, second = ask(administrator, CLIENTS)["clients"]["nodes"][0]["secrets"]["nodes"]
    assert second["id"] == added["clientSecret"]["id"]
    gone = done(
        administrator,
        "revokeClientSecret",
        "clientSecret { id revokedAt }",
        clientSecretId=first["id"],
    )
    assert gone["revokedAt"]
    assert ours.asks_for_token(street).status_code == 401
    assert done(administrator, "revokeClient", "client { revokedAt }", clientId=client_id)
    assert ours.asks_for_token(street, secret=added["secret"]).status_code == 401


def test_from_the_platform(street, actor_as):
    at_platform = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)
    where = {"tenantId": ids.encode("Tenant", street.pk)}
    given = {"name": "小程序", "scopes": ["fund:read"]} | where
    client = done(at_platform, "createClient", "client { id tenant { slug } }", **given)
    assert client["tenant"] == {"slug": "chezhan"}
    assert done(at_platform, "revokeClient", "client { revokedAt }", clientId=client["id"])


def test_where_there_is_nothing_to_make_one_of(street, other_street, administrator, actor_as):
    at_platform = actor_as(None, Role.STREET_ADMINISTRATOR, held_at=street)
    given = {"name": "小程序", "scopes": ["fund:read"]}
    assert refused(at_platform, "createClient", **given) == [("FORBIDDEN", None)]
    theirs = {"tenantId": ids.encode("Tenant", other_street.pk)}
    for actor in (at_platform, administrator):
        assert refused(actor, "createClient", **given, **theirs) == [("NOT_FOUND", "tenantId")]


def test_who_may_see_them(street, administrator, actor_as):
    program(administrator, "fund:read")
    for role in (Role.AUDITOR, Role.CHARITY_APPROVER, Role.CHARITY_CASHIER):
        assert len(ask(actor_as(street, role), CLIENTS)["clients"]["nodes"]) == 1
    for role in (Role.COMMUNITY_SECRETARY, Role.COMMITTEE_MEMBER, Role.INTEGRATOR):
        assert errors(actor_as(street, role), CLIENTS) == [("FORBIDDEN", None)]
    for act in ("createClient", "addClientSecret", "revokeClient", "revokeClientSecret"):
        given = {
            "createClient": {"name": "x", "scopes": ["fund:read"]},
            "revokeClientSecret": {"clientSecretId": "x"},
        }.get(act, {"clientId": "x"})
        assert refused(actor_as(street, Role.AUDITOR), act, **given) == [("FORBIDDEN", None)]


def test_another_tenants_are_nothing(administrator, other_street, actor_as):
    ours = program(administrator, "fund:read").client
    other = actor_as(other_street, Role.STREET_ADMINISTRATOR)
    client_id = ids.encode("Client", ours.pk)
    secret_id = ids.encode("ClientSecret", ours.secrets.get().pk)
    assert ask(other, CLIENTS)["clients"]["nodes"] == []
    assert errors(other, "query($id: ID!) { client(id: $id) { name } }", id=client_id) == [
        ("NOT_FOUND", "id")
    ]
    for act in ("addClientSecret", "revokeClient"):
        assert refused(other, act, clientId=client_id) == [("NOT_FOUND", "clientId")]
    assert refused(other, "revokeClientSecret", clientSecretId=secret_id) == [
        ("NOT_FOUND", "clientSecretId")
    ]


class TestPersonalTokens:
    def test_everybody_has_their_own(self, street, actor_as):
        mine, other = (actor_as(street, Role.COMMUNITY_WORKER) for _ in range(2))
        shows = "token personalToken { id name scopes tenant { slug } expiresAt }"
        made = do(mine, "createPersonalToken", shows, name="表格", scopes=["partners:read"])
        assert made["personalToken"]["tenant"] == {"slug": "chezhan"}
        assert admit(made["token"], street).actor.person == mine.person
        query = "{ personalTokens { nodes { id name } } }"
        assert [t["name"] for t in ask(mine, query)["personalTokens"]["nodes"]] == ["表格"]
        assert ask(other, query)["personalTokens"]["nodes"] == []
        token_id = made["personalToken"]["id"]
        assert refused(other, "revokePersonalToken", personalTokenId=token_id) == [
            ("NOT_FOUND", "personalTokenId")
        ]
        assert done(
            mine, "revokePersonalToken", "personalToken { revokedAt }", personalTokenId=token_id
        )
        assert admit(made["token"], street) is None

    def test_one_neither_sees_nor_ends_another(self, street, actor_as):
        mine = actor_as(street, Role.COMMUNITY_WORKER)
        first, second = (
            do(mine, "createPersonalToken", "token personalToken { id }", name=name, scopes=[scope])
            for name, scope in (("表格", "partners:read"), ("手机", "communities:read"))
        )
        for one, other in ((first, second), (second, first)):
            by_token = admit(one["token"], street).actor
            seen = ask(by_token, "{ personalTokens { nodes { id } } }")["personalTokens"]["nodes"]
            assert seen == [{"id": one["personalToken"]["id"]}]
            assert refused(
                by_token, "revokePersonalToken", personalTokenId=other["personalToken"]["id"]
            ) == [("NOT_FOUND", "personalTokenId")]
        by_token = admit(first["token"], street).actor
        done(
            by_token,
            "revokePersonalToken",
            "personalToken { revokedAt }",
            personalTokenId=first["personalToken"]["id"],
        )
        assert admit(first["token"], street) is None
        assert admit(second["token"], street)

    def test_at_the_platform_one_is_made_for_everywhere_or_for_one_tenant(self, street, actor_as):
        person = actor_as(street, Role.AUDITOR).person
        given = {"name": "表格", "scopes": ["fund:read"]}
        shows = "personalToken { tenant { slug } }"
        everywhere = done(actor_for(person, None), "createPersonalToken", shows, **given)
        assert everywhere == {"tenant": None}
        one = given | {"tenantId": ids.encode("Tenant", street.pk)}
        assert done(actor_for(person, None), "createPersonalToken", shows, **one) == {
            "tenant": {"slug": "chezhan"}
        }

    def test_a_token_makes_no_token_and_a_moment_that_has_passed_is_refused(self, administrator):
        given = {"name": "表格", "scopes": ["fund:read"]}
        _row, token = create_personal_token(actor=administrator, tenant=None, **given)
        acting = admit(token, administrator.tenant).actor
        assert refused(acting, "createPersonalToken", **given) == [("TOKEN_BY_TOKEN", None)]
        past = given | {"expiresAt": "2020-01-01T00:00:00+08:00"}
        assert refused(administrator, "createPersonalToken", **past) == [
            ("EXPIRY_PASSED", "expiresAt")
        ]


class TestTrail:
    ENTRIES = """{ auditEntries(action: "communities.added") {
        nodes { personId personName clientId clientName } } }"""

    def test_it_names_the_client_and_the_token(self, street, administrator, actor_as):
        ours = program(administrator, "communities:write")
        row, personal = create_personal_token(
            actor=administrator, name="我的", scopes=["communities:write"], tenant=street
        )
        for number, token in enumerate((ours.token(), personal)):
            acting = admit(token, street).actor
            with tenant_context(street):
                add_community(actor=acting, name=f"社区{number}", opened_on="2024-03-01")
        by_token, by_client = ask(administrator, self.ENTRIES)["auditEntries"]["nodes"]
        assert by_client == {
            "personId": None, "personName": None,
            "clientId": ids.encode("Client", ours.client.pk), "clientName": "小程序",
        }  # fmt: skip
        assert by_token == {
            "personId": ids.encode("Person", administrator.person.pk),
            "personName": administrator.person.name,
            "clientId": ids.encode("PersonalToken", row.pk), "clientName": "我的",
        }  # fmt: skip

    def test_statements_do_not_grow_with_the_clients(self, administrator):
        query = """{ clients { totalCount nodes { name lastUsedAt tenant { slug } createdBy { name }
                     secrets { nodes { createdAt createdBy { name } } } } } }"""
        program(administrator, "fund:read", name="一号")
        few = statements(administrator, query)
        for number in range(5):
            program(administrator, "fund:read", name=f"又{number}")
        assert statements(administrator, query) == few
