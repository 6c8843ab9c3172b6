"""A secret is shown once, to whoever made it, and is nowhere else: no row, no trail, no log."""

import logging

import pytest
from django.db import connection
from django.test import Client as Browser

from linli.clients import actions
from linli.clients.models import AccessToken, Client, ClientSecret, PersonalToken
from linli.clients.secrets import digest
from tests.support.api import ask, done
from tests.support.programs import graphql, host_of, program, token_endpoint
from tests.support.rows import tables


@pytest.fixture
def everything(administrator, street, caplog):
    """All the secrets of a client's life, while every logger of the process tells all it knows."""
    quiet = [logging.getLogger(name) for name in ("oauthlib", "oauth2_provider", "linli")]
    levels = [logger.level for logger in quiet]
    caplog.set_level(logging.DEBUG)
    ours = program(administrator, "partners:read", "clients:read", "audit:read")
    _row, second = actions.add_client_secret(actor=administrator, client_id=ours.client.pk)
    token = ours.token()
    _row, personal = actions.create_personal_token(
        actor=administrator, name="我的", scopes=["partners:read"], tenant=street
    )
    for one in (token, personal, token + "x"):
        graphql(one, "{ viewer { name } }", street)
    ours.asks_for_token(street, secret=second + "x")
    token_endpoint(
        street,
        {"grant_type": "client_credentials", "client_id": "linli_no", "client_secret": second},
    )
    assert [logger.level for logger in quiet] == levels
    return [ours.secret, second, token, personal]


def told(schema):
    """Every row of a schema, as text."""
    with connection.cursor() as cursor:
        for table in tables(schema):
            cursor.execute(f'SELECT t::text FROM "{schema}"."{table}" t')
            yield from (row[0] for row in cursor.fetchall())


def test_no_row_holds_one(everything, street):
    rows = [*told("public"), *told(street.schema_name)]
    assert len(rows) > 10
    for secret in everything:
        assert secret.startswith("linli_")
        body = secret[len("linli_xx_") :]
        assert [row for row in rows if body in row] == []


def test_what_the_rows_hold_is_a_digest(everything):
    first, second, token, personal = map(digest, everything)
    assert set(ClientSecret.objects.values_list("digest", flat=True)) == {first, second}
    assert AccessToken.objects.get().token_checksum == token
    assert PersonalToken.objects.get().digest == personal


def test_no_log_tells_one(everything, caplog):
    for secret in everything:
        assert secret[len("linli_xx_") :] not in caplog.text


def test_no_answer_tells_one_again(everything, administrator, caplog):
    shown = str(
        ask(
            administrator,
            """{ clients { nodes { id name oauthId scopes secrets { nodes { id createdAt } } } }
                 personalTokens { nodes { id name } }
                 auditEntries(first: 50) { nodes { action before after } } }""",
        )
    )
    assert Client.objects.get().client_id in shown
    for secret in everything:
        assert secret not in shown
        assert digest(secret) not in shown


def test_the_trail_tells_of_it_without_it(administrator):
    from linli.audit.models import Entry

    made = done(administrator, "createClient", "secret", name="小程序", scopes=["fund:read"])
    [entry] = Entry.objects.filter(action="clients.created")
    assert made.startswith("linli_cs_")
    assert entry.person_id == administrator.person_id
    assert set(entry.after) == {
        "name", "client_id", "tenant_id", "scope", "covers_below", "scope_here", "scope_below",
    }  # fmt: skip


def test_a_page_of_a_fault_shows_none(everything, street):
    """An unknown path with a token in its header tells nothing of it."""
    answer = Browser(headers={"host": host_of(street)}).get(
        "/nowhere", headers={"authorization": f"Bearer {everything[2]}"}
    )
    assert answer.status_code == 404
    assert everything[2] not in answer.content.decode()
