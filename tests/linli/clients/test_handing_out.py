"""Nobody hands out what they do not hold, however they go about it."""

from datetime import date
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from linli.accounts.actions import grant_membership
from linli.accounts.models import Membership
from linli.accounts.policy import Permission, Role, actor_for, covered, standing
from linli.accounts.roles import DUTIES
from linli.accounts.scopes import scopes_for
from linli.clients import actions
from linli.clients.admission import admit
from linli.clients.models import Client, ClientSecret, PersonalToken
from linli.clients.scopes import SCOPES
from linli.errors import Forbidden, NotFound
from linli.tenancy.context import public_context, tenant_context
from tenants.communities.actions import add_community
from tests.support.denials import denied, denied_in_public
from tests.support.factories import MembershipFactory, PersonFactory
from tests.support.models import adopt_chengnan
from tests.support.money import Money
from tests.support.programs import program
from tests.support.rows import rows_unchanged

NEVER = date(2024, 1, 1)


def test_every_permission_has_one_scope_and_every_scope_only_what_there_is():
    every = [permission for permissions in SCOPES.values() for permission in permissions]
    assert sorted(every) == sorted(Permission)


def test_each_move_of_money_is_a_scope_of_its_own():
    money = set(map(Permission, ("partners.receive", "fund.approve", "fund.pay", "fund.reverse")))
    assert {stands_for for stands_for in SCOPES.values() if stands_for & money} == {
        frozenset({move}) for move in money
    }


@pytest.mark.parametrize("scope", ["fund:approve", "fund:pay", "models:policy", "tenants:write"])
def test_a_scope_that_is_not_held_is_refused(administrator, scope):
    with denied_in_public("SCOPE_NOT_HELD", "scopes.1"):
        actions.create_client(actor=administrator, name="小程序", scopes=["fund:read", scope])


def test_a_scope_that_is_held_is_given(treasurer):
    client, _secret = actions.create_client(
        actor=treasurer, name="小程序", scopes=["fund:pay", "fund:approve", "fund:pay"]
    )
    assert client.scopes == ["fund:approve", "fund:pay"]


MAKERS = {Role.STREET_ADMINISTRATOR, Role.CHARITY_APPROVER, Role.CHARITY_CASHIER}


@pytest.mark.parametrize(
    "role", [r for r, d in DUTIES.items() if "street" in d.kinds and r not in MAKERS]
)
def test_only_administrators_and_the_charity_make_clients(street, actor_as, role):
    with pytest.raises(Forbidden):
        actions.create_client(actor=actor_as(street, role), name="小程序", scopes=["fund:read"])
    assert not Client.objects.exists()


def test_a_district_makes_no_clients_in_its_streets(street, district, actor_as):
    with pytest.raises(Forbidden):
        program(actor_as(street, Role.DISTRICT_ADMINISTRATOR, held_at=district), "fund:read")


class TestWhereAScopeCounts:
    """Where its maker holds it: at their own unit, in those below, or in both."""

    def test_at_home_below_or_in_both(self, district_administrator, district, street):
        """A district authors models at home, and brings communities on board in its streets."""
        made = program(
            district_administrator, "fund:read", "models:write", "communities:write",
            covers_below=True,
        )  # fmt: skip
        assert made.client.scopes_here == ["models:write", "fund:read"]
        assert made.client.scopes_below == ["communities:write", "fund:read"]
        token = made.token()
        author = {
            Permission.MODELS_AUTHOR,
            Permission.MODELS_PUBLISH,
            Permission.LIBRARY_IMPORT,
        }
        assert admit(token, district).actor.held_here() == {Permission.FUND_READ, *author}
        below = {Permission.FUND_READ, Permission.COMMUNITIES_ONBOARD}
        assert admit(token, street).actor.held_here() == below
        at_platform = admit(token, None).actor
        assert at_platform.held_here() == below | author
        assert set(covered(at_platform, Permission.MODELS_AUTHOR)) == {district}
        onboards = covered(at_platform, Permission.COMMUNITIES_ONBOARD)
        assert street in onboards
        assert district not in onboards

    def test_never_more_than_whoever_made_it_holds_there(self, city, actor_as):
        """Whatever there is of scopes: its client does nothing where they could not."""
        for role in (Role.CITY_SUPERVISOR, Role.STREET_ADMINISTRATOR, Role.CHARITY_CASHIER):
            maker = actor_as(city, role)
            for number, scope in enumerate(SCOPES):
                stands_for = SCOPES[scope]
                here = stands_for <= DUTIES[role].own
                below = stands_for <= DUTIES[role].below
                name = f"{role} {number}"
                if not here and not below:
                    with denied_in_public("SCOPE_NOT_HELD", "scopes.0"):
                        actions.create_client(
                            actor=maker, name=name, scopes=[scope], covers_below=True
                        )
                    continue
                made = program(maker, scope, name=name, covers_below=True).client
                assert made.scopes_here == ([scope] if here else [])
                assert made.scopes_below == ([scope] if below else [])

    def test_what_is_held_only_below_is_refused_to_a_client_that_stays_at_home(
        self, district_administrator
    ):
        with denied_in_public("SCOPE_NOT_HELD", "scopes.0"):
            actions.create_client(
                actor=district_administrator, name="小程序", scopes=["communities:write"]
            )

    def test_a_client_hands_on_no_more_than_it_has_there(self, district_administrator, district):
        made = program(
            district_administrator, "clients:write", "fund:read", "communities:write",
            covers_below=True,
        )  # fmt: skip
        acting = admit(made.token(), district).actor
        with denied_in_public("SCOPE_NOT_HELD", "scopes.0"):
            actions.create_client(actor=acting, name="下一个", scopes=["communities:write"])
        further = program(acting, "communities:write", name="下一个", covers_below=True).client
        assert (further.scopes_here, further.scopes_below) == ([], ["communities:write"])

    def test_a_secret_is_drawn_by_who_holds_it_in_the_same_places(
        self, city, actor_as, district_administrator, district
    ):
        made = program(
            district_administrator, "fund:read", "communities:write", covers_below=True
        ).client
        auditor = actor_as(district, Role.DISTRICT_ADMINISTRATOR)
        actions.add_client_secret(actor=auditor, client_id=made.pk)
        acting = admit(
            program(auditor, "clients:write", "fund:read", name="又一个").token(), district
        ).actor
        actions.revoke_client_secret(actor=auditor, secret_id=made.secrets.first().pk)
        with denied_in_public("SCOPE_NOT_HELD", "clientId"):
            actions.add_client_secret(actor=acting, client_id=made.pk)


class TestOfTheirOwnMaking:
    """Who approves or pays has a program do it, and looks after that one only."""

    @pytest.mark.parametrize(
        ("role", "scope"),
        [(Role.CHARITY_APPROVER, "fund:approve"), (Role.CHARITY_CASHIER, "fund:pay")],
    )
    def test_it_does_what_they_may(self, street, actor_as, role, scope):
        maker = actor_as(street, role)
        made = program(maker, scope, "fund:read")
        [permission] = SCOPES[scope]
        acting = admit(made.token(), street).actor
        assert acting.held_here() == {permission, Permission.FUND_READ}
        assert acting.answers_id == maker.person_id
        for beyond in ("fund:write", "people:write", "clients:write"):
            with denied_in_public("SCOPE_NOT_HELD", "scopes.0"):
                actions.create_client(actor=maker, name="另一个", scopes=[beyond])

    def test_they_rotate_and_revoke_it(self, street, actor_as):
        maker = actor_as(street, Role.CHARITY_CASHIER)
        client = program(maker, "fund:pay").client
        second, _text = actions.add_client_secret(actor=maker, client_id=client.pk)
        actions.revoke_client_secret(actor=maker, secret_id=second.pk)
        assert actions.revoke_client(actor=maker, client_id=client.pk).revoked_at

    def test_but_none_of_anothers(self, street, administrator, actor_as):
        cashier = actor_as(street, Role.CHARITY_CASHIER)
        for maker in (administrator, actor_as(street, Role.CHARITY_CASHIER)):
            client = program(maker, "fund:read", name=f"{maker.person_id}").client
            for act in (
                lambda client=client: actions.add_client_secret(actor=cashier, client_id=client.pk),
                lambda client=client: actions.revoke_client(actor=cashier, client_id=client.pk),
                lambda client=client: actions.revoke_client_secret(
                    actor=cashier, secret_id=client.secrets.get().pk
                ),
            ):
                with rows_unchanged("public"), pytest.raises(NotFound):
                    act()

    def test_an_administrator_shuts_it_out_but_draws_no_secret_of_it(
        self, street, administrator, actor_as
    ):
        client = program(actor_as(street, Role.CHARITY_CASHIER), "fund:pay").client
        with denied_in_public("SCOPE_NOT_HELD", "clientId"):
            actions.add_client_secret(actor=administrator, client_id=client.pk)
        actions.revoke_client(actor=administrator, client_id=client.pk)


def test_a_street_office_covers_nothing_below(administrator):
    with denied_in_public("NOTHING_BELOW", "coversBelow"):
        actions.create_client(
            actor=administrator, name="小程序", scopes=["fund:read"], covers_below=True
        )


@pytest.mark.parametrize(
    ("scopes", "code", "field"),
    [([], "SCOPES_MISSING", "scopes"), (["fund:read", "fund:*"], "SCOPE_UNKNOWN", "scopes.1")],
)
def test_scopes_are_those_of_the_table(administrator, scopes, code, field):
    with denied_in_public(code, field):
        actions.create_client(actor=administrator, name="小程序", scopes=scopes)
    with denied_in_public(code, field):
        actions.create_personal_token(actor=administrator, name="我的", scopes=scopes, tenant=None)


def test_a_name_is_given_once_while_it_lives(administrator):
    first = program(administrator, "fund:read")
    with denied_in_public("CLIENT_EXISTS", "name"):
        program(administrator, "fund:read")
    actions.revoke_client(actor=administrator, client_id=first.client.pk)
    program(administrator, "fund:read")


class TestRotation:
    def test_two_secrets_live_and_no_third(self, administrator):
        client = program(administrator, "fund:read").client
        second, _text = actions.add_client_secret(actor=administrator, client_id=client.pk)
        with denied_in_public("SECRETS_TWO_LIVE", "clientId"):
            actions.add_client_secret(actor=administrator, client_id=client.pk)
        actions.revoke_client_secret(actor=administrator, secret_id=second.pk)
        actions.add_client_secret(actor=administrator, client_id=client.pk)
        assert client.secrets.filter(revoked_at=None).count() == 2

    def test_the_database_has_the_last_word(self, administrator):
        client = program(administrator, "fund:read").client
        for slot in (1, 3):
            with pytest.raises(IntegrityError), transaction.atomic():
                ClientSecret.objects.create(client=client, slot=slot, digest="0" * 64)

    def test_a_secret_is_drawn_only_by_who_holds_the_scopes(self, street, treasurer, actor_as):
        """Or one administrator would pay with what another was entrusted with."""
        client = program(treasurer, "fund:read", "fund:pay").client
        colleague = actor_as(street, Role.STREET_ADMINISTRATOR)
        with denied_in_public("SCOPE_NOT_HELD", "clientId"):
            actions.add_client_secret(actor=colleague, client_id=client.pk)

    def test_a_revoked_client_gets_none(self, administrator):
        client = program(administrator, "fund:read").client
        actions.revoke_client(actor=administrator, client_id=client.pk)
        with denied_in_public("CLIENT_REVOKED", "clientId"):
            actions.add_client_secret(actor=administrator, client_id=client.pk)

    def test_of_another_tenant_there_is_none(self, administrator, other_street, actor_as):
        client = program(administrator, "fund:read").client
        other = actor_as(other_street, Role.STREET_ADMINISTRATOR)
        secret = client.secrets.get()
        for act in (
            lambda: actions.add_client_secret(actor=other, client_id=client.pk),
            lambda: actions.revoke_client(actor=other, client_id=client.pk),
            lambda: actions.revoke_client_secret(actor=other, secret_id=secret.pk),
            lambda: actions.revoke_client(actor=other, client_id=uuid4()),
        ):
            with rows_unchanged("public"), pytest.raises(NotFound):
                act()

    def test_revoking_again_changes_nothing(self, administrator):
        client = program(administrator, "fund:read").client
        once = actions.revoke_client(actor=administrator, client_id=client.pk)
        with rows_unchanged("public"):
            again = actions.revoke_client(actor=administrator, client_id=client.pk)
        assert again.revoked_at == once.revoked_at


class TestThroughAToken:
    """What a client or a token may hand on is what it has itself."""

    def test_a_client_makes_no_client_that_may_more(self, administrator):
        acting = admit(
            program(administrator, "clients:write", "fund:read").token(), administrator.tenant
        ).actor
        actions.create_client(actor=acting, name="下一个", scopes=["fund:read"])
        with denied_in_public("SCOPE_NOT_HELD", "scopes.0"):
            actions.create_client(actor=acting, name="再一个", scopes=["fund:write"])

    def test_a_personal_token_makes_no_client_that_may_more(self, administrator):
        _row, token = actions.create_personal_token(
            actor=administrator, name="我的", scopes=["clients:write"], tenant=administrator.tenant
        )
        acting = admit(token, administrator.tenant).actor
        with denied_in_public("SCOPE_NOT_HELD", "scopes.0"):
            actions.create_client(actor=acting, name="小程序", scopes=["fund:read"])

    def test_a_token_makes_no_tokens(self, administrator):
        _row, token = actions.create_personal_token(
            actor=administrator, name="我的", scopes=["fund:read"], tenant=administrator.tenant
        )
        by_client = program(administrator, "fund:read").token()
        for one in (token, by_client):
            acting = admit(one, administrator.tenant).actor
            with denied_in_public("TOKEN_BY_TOKEN"):
                actions.create_personal_token(
                    actor=acting, name="又一个", scopes=["fund:read"], tenant=None
                )
        assert PersonalToken.objects.count() == 1

    def test_nobody_gives_themselves_a_role_through_a_client_of_theirs(self, administrator, street):
        partners = scopes_for(DUTIES[Role.PARTNER].own)
        acting = admit(program(administrator, "people:write", *partners).token(), street).actor
        for person in (administrator.person, PersonFactory()):
            if person == administrator.person:
                with denied_in_public("GRANT_TO_SELF", "personId"):
                    grant_membership(actor=acting, person_id=person.pk, role=Role.PARTNER)
            else:
                given = grant_membership(actor=acting, person_id=person.pk, role=Role.PARTNER)
                assert given.granted_by == administrator.person

    def test_nor_through_one_made_by_that_one(self, administrator, street):
        acting = admit(
            program(administrator, "people:write", "clients:write").token(), street
        ).actor
        made = program(acting, "people:write", name="下一个")
        further = admit(made.token(), street).actor
        assert further.client.name == "下一个"
        with denied_in_public("GRANT_TO_SELF", "personId"):
            grant_membership(
                actor=further, person_id=administrator.person.pk, role=Role.CHARITY_APPROVER
            )
        assert Membership.objects.filter(person=administrator.person).count() == 1


class TestTwoPairsOfEyes:
    @pytest.fixture
    def money(self, street, treasurer):
        """A fund that holds something, and whoever comes with which token."""
        with tenant_context(street):
            adopt_chengnan(street, effective_from=NEVER)
            community = add_community(actor=treasurer, name="城南社区", opened_on=NEVER)
            yield Money(treasurer, community)

    def test_a_client_does_not_approve_what_it_proposed_nor_pay_what_it_approved(self, money):
        one = money.by_client("fund:write", "fund:approve", "fund:pay")
        proposed = money.proposed(one)
        with denied("SAME_PERSON", "spendingId"):
            money.approve(one, proposed)
        theirs = money.proposed(money.somebody())
        money.approve(one, theirs)
        with denied("SAME_PERSON", "spendingId"):
            money.pay(one, theirs)

    def test_nor_do_two_clients_of_one_person_nor_the_person_beside_one(self, money):
        one, other = money.by_client("fund:approve"), money.by_client("fund:pay", name="二号")
        theirs = money.proposed(money.somebody())
        money.approve(one, theirs)
        for again in (other, money.treasurer, money.by_token("fund:pay")):
            with denied("SAME_PERSON", "spendingId"):
                money.pay(again, theirs)

    def test_an_approvers_client_does_not_approve_what_that_person_proposed(self, money, actor_as):
        """They hold one role each for it, and are still one."""
        street = money.treasurer.tenant
        maker = actor_as(street, Role.CHARITY_APPROVER)
        MembershipFactory(person=maker.person, tenant=street, role=Role.COMMUNITY_SECRETARY)
        with public_context():
            token = program(actor_for(maker.person, street), "fund:approve", name="审批").token()
        proposed = money.proposed(actor_for(maker.person, street))
        with denied("SAME_PERSON", "spendingId"):
            money.approve(admit(token, street).actor, proposed)
        assert money.approve(admit(token, street).actor, money.proposed(money.treasurer))

    def test_clients_of_two_people_are_two(self, money, actor_as):
        theirs = money.proposed(money.somebody())
        money.approve(money.by_client("fund:approve"), theirs)
        paid = money.pay(money.somebody(), theirs)
        assert paid.status == "paid"


def test_a_standing_actor_stays_who_it_is(street, other_street, administrator):
    """At the platform, what a client does to one tenant it does as what it is there."""
    acting = admit(program(administrator, "people:write").token(), None).actor
    assert standing(acting, street).allows(Permission.PEOPLE_GRANT)
    assert standing(acting, other_street).grants == ()
    assert actor_for(administrator.person, street).client is None
