"""Global ids, cursors, scalars and inputs: what enters and leaves the API."""

from base64 import b64encode
from datetime import date
from decimal import Decimal
from uuid import UUID

import graphene
import pytest
from django.db import models
from graphql import GraphQLError, parse_value
from hypothesis import given
from hypothesis import strategies as st

from linli.errors import Refused
from linli_api import cursors, ids
from linli_api.inputs import IdOf, plain
from linli_api.scalars import Date, DateTime, Document, Fen, Rate, choices

KEY = UUID("019a8b7c-0000-7000-8000-00000000abcd")
TENANT = UUID("019a8b7c-0000-7000-8000-00000000dcba")


def refusal(function, *args, **kw):
    with pytest.raises(Refused) as caught:
        function(*args, **kw)
    return caught.value


class TestIds:
    def test_an_id_gives_its_key_back(self):
        assert ids.decode("Partner", ids.encode("Partner", KEY)) == KEY

    @pytest.mark.parametrize(
        "value",
        [
            ids.encode("Community", KEY),  # another type
            ids.encode("Partner", "7"),  # no key of this type
            b64encode(f" Partner:{KEY}".encode()).decode(),
            ids.encode("Partner", KEY) + "=",
            ids.encode("Partner", KEY)[:-2],
            str(KEY),
            "",
            "合伙人",
            "A" * 100_000,
        ],
    )
    def test_everything_else_does_not_exist(self, value):
        refused = refusal(ids.decode, "Partner", value, field="partnerId")
        assert (refused.code, refused.field) == ("NOT_FOUND", "partnerId")

    def test_a_code_can_be_a_key(self):
        assert ids.decode("Division", ids.encode("Division", "370303"), parse=str) == "370303"


class TestCursors:
    @given(st.lists(st.integers() | st.text(max_size=200), min_size=1, max_size=3))
    def test_a_cursor_gives_its_values_back(self, values):
        for tenant_id in (TENANT, None):
            cursor = cursors.encode("Partner:NAME", tenant_id, values)
            assert cursors.decode("Partner:NAME", tenant_id, cursor, field="after") == values

    @pytest.mark.parametrize(
        ("scope", "tenant_id"),
        [
            ("Partner:NEWEST", TENANT),
            ("Community:NAME", TENANT),
            ("Partner:NAME", KEY),
            ("Partner:NAME", None),
        ],
    )
    def test_a_cursor_of_another_list_or_tenant_is_refused(self, scope, tenant_id):
        cursor = cursors.encode("Partner:NAME", TENANT, ["张店", str(KEY)])
        refused = refusal(cursors.decode, scope, tenant_id, cursor, field="after")
        assert (refused.code, refused.field) == ("CURSOR_INVALID", "after")

    def test_a_changed_cursor_is_refused_wherever_it_is_changed(self):
        cursor = cursors.encode("Partner:NAME", TENANT, ["name", str(KEY)])
        for place in range(len(cursor.rstrip("=")) - 1):
            changed = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
            refused = refusal(cursors.decode, "Partner:NAME", TENANT, changed, field="after")
            assert refused.code == "CURSOR_INVALID"

    @pytest.mark.parametrize("cursor", ["", "x", "下一页", "=" * 5_000, "A" * 5_000])
    def test_garbage_is_refused(self, cursor):
        refused = refusal(cursors.decode, "Partner:NAME", TENANT, cursor, field="before")
        assert refused.code == "CURSOR_INVALID"


class TestFen:
    @pytest.mark.parametrize("amount", [0, 1, -1, 2**53 - 1, -(2**53) + 1])
    def test_whole_fen_pass(self, amount):
        assert Fen.parse_value(amount) == amount
        assert Fen.parse_literal(parse_value(str(amount))) == amount
        assert Fen.serialize(amount) == amount

    @pytest.mark.parametrize("amount", [0.5, 5.0, "5", True, None, 2**53, -(2**53), [1]])
    def test_anything_else_is_refused(self, amount):
        with pytest.raises(GraphQLError, match="whole number of fen"):
            Fen.parse_value(amount)
        with pytest.raises(ValueError, match="not an amount in fen"):
            Fen.serialize(amount)

    @pytest.mark.parametrize("literal", ["0.5", '"5"', "true", "FIVE", "[1]", "{a: 1}", str(2**53)])
    def test_so_is_every_other_literal(self, literal):
        with pytest.raises(GraphQLError, match="whole number of fen"):
            Fen.parse_literal(parse_value(literal))


class TestDate:
    def test_a_day_has_one_spelling(self):
        assert Date.parse_value("2026-11-24") == date(2026, 11, 24)

    @pytest.mark.parametrize(
        "text",
        ["20261124", "2026-W48-2", "2026-02-30", "2026-1-1", " 2026-11-24", "٢٠٢٦-١١-٢٤", ""],
    )
    def test_and_no_other(self, text):
        with pytest.raises(GraphQLError):
            Date.parse_value(text)


class TestDateTime:
    def test_it_is_brought_to_utc(self):
        late = DateTime.parse_value("2026-11-25T00:00:00+23:59")
        assert late.isoformat() == "2026-11-24T00:01:00+00:00"
        assert DateTime.parse_literal(parse_value('"2026-11-25T00:00:00+23:59"')) == late

    @pytest.mark.parametrize(
        "value",
        [
            "9999-12-31T23:59:59-23:59",
            "0001-01-01T00:00:00+00:01",
            "2026-11-24T00:00:00",
            "9999-12-31T24:00:00Z",
        ],
    )
    def test_what_is_no_instant_in_utc_is_refused(self, value):
        with pytest.raises(GraphQLError, match="instant with its offset"):
            DateTime.parse_value(value)


class TestRate:
    def test_it_is_exact_both_ways(self):
        assert Rate.parse_value("0.03") == Decimal("0.03")
        assert Rate.parse_literal(parse_value('"0.050"')) == Decimal("0.050")
        assert Rate.serialize(Decimal("0.0000001")) == "0.0000001"
        assert Rate.serialize("0.03") == "0.03"

    @pytest.mark.parametrize("value", [0.03, 3, "3%", "1e-2", "NaN", "", " 0.03", "0.03\n", "٣"])
    def test_anything_but_a_decimal_string_is_refused(self, value):
        with pytest.raises(GraphQLError, match="exact decimal"):
            Rate.parse_value(value)

    @pytest.mark.parametrize("literal", ["0.03", "3", "true", "[1]"])
    def test_so_is_every_other_literal(self, literal):
        with pytest.raises(GraphQLError, match="exact decimal"):
            Rate.parse_literal(parse_value(literal))


def test_a_document_is_any_json_value():
    literal = parse_value('{kinds: ["clinic", null], rate: "0.03", on: true, at: 5}')
    assert Document.parse_literal(literal) == {
        "kinds": ["clinic", None],
        "rate": "0.03",
        "on": True,
        "at": 5,
    }


class Mode(models.TextChoices):
    """How a partner is there."""

    STATIONED = "stationed", "Stationed"
    VISITING = "visiting", "Visiting"


TOLD = {"STATIONED": "It has a room of its own.", "VISITING": "It comes by the session."}
GOING = "Since 2026-11-24, removed after 2027-05-24. Use STATIONED."
ModeEnum = choices(Mode, "Mode", going={"VISITING": GOING}, **TOLD)


def test_choices_are_described_one_and_all_and_go_by_notice():
    built = graphene.Schema(types=[ModeEnum]).graphql_schema.type_map["Mode"]
    assert built.description == Mode.__doc__
    assert {name: one.description for name, one in built.values.items()} == TOLD
    assert [one.deprecation_reason for one in built.values.values()] == [None, GOING]
    with pytest.raises(TypeError, match="'VISITING'"):
        choices(Mode, "Mode", STATIONED="It has a room of its own.")
    with pytest.raises(TypeError, match="'GONE'"):
        choices(Mode, "Mode", GONE="It left.", **TOLD)


class LineInput(graphene.InputObjectType):
    partner_id = IdOf("Partner", required=True)
    amount_fen = Fen()


class Inputs(graphene.InputObjectType):
    community_id = IdOf("Community")
    partner_ids = IdOf("Partner", many=True)
    mode = graphene.InputField(ModeEnum)
    note = graphene.String()
    lines = graphene.List(graphene.NonNull(LineInput))
    values = Document()


class TestInputs:
    def test_ids_become_keys_and_enum_members_values(self):
        given_values = {
            "community_id": ids.encode("Community", KEY),
            "partner_ids": [ids.encode("Partner", KEY)],
            "mode": ModeEnum.get("visiting"),
            "lines": [{"partner_id": ids.encode("Partner", KEY), "amount_fen": 5}],
            "note": None,
        }
        assert plain(Inputs._meta.fields, given_values) == {
            "community_id": KEY,
            "partner_ids": [KEY],
            "mode": "visiting",
            "lines": [{"partner_id": KEY, "amount_fen": 5}],
            "note": None,
        }

    @pytest.mark.parametrize("name", Inputs._meta.fields)
    def test_null_stays_null(self, name):
        assert plain(Inputs._meta.fields, {name: None}) == {name: None}

    @pytest.mark.parametrize(
        ("values", "code", "field"),
        [
            ({"community_id": ids.encode("Partner", KEY)}, "NOT_FOUND", "communityId"),
            ({"partner_ids": [ids.encode("Partner", KEY), "?"]}, "NOT_FOUND", "partnerIds.1"),
            ({"lines": [{"partner_id": "?"}]}, "NOT_FOUND", "lines.0.partnerId"),
            ({"note": "a\0b"}, "TEXT_INVALID", "note"),
            ({"note": "half \ud83d"}, "TEXT_INVALID", "note"),
            ({"values": {"a": ["\ud83d"]}}, "TEXT_INVALID", "values.a.0"),
            ({"values": {"\0": 1}}, "TEXT_INVALID", "values"),
        ],
    )
    def test_a_fault_names_its_place(self, values, code, field):
        refused = refusal(plain, Inputs._meta.fields, values)
        assert (refused.code, refused.field) == (code, field)

    def test_a_value_without_end_is_refused(self):
        deep: object = "x"
        for _ in range(400):
            deep = [deep]
        refused = refusal(plain, Inputs._meta.fields, {"values": deep})
        assert (refused.code, refused.field) == ("INPUT_TOO_DEEP", "values")


@pytest.mark.parametrize("value", [float("inf"), {"a": [1, {"b": float("-inf")}]}, [float("nan")]])
def test_a_document_holds_no_number_that_json_cannot(value):
    with pytest.raises(GraphQLError, match="too large"):
        Document.parse_value(value)


def test_a_literal_too_large_for_a_number_is_refused():
    with pytest.raises(GraphQLError, match="too large"):
        Document.parse_literal(parse_value("{a: [1e999]}"))
