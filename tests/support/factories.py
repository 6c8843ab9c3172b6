"""Rows that tests need but are not about."""

from datetime import date

import factory

from linli.accounts.models import Membership, Person
from linli.accounts.roles import Role


class PersonFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Person

    username = factory.Sequence(lambda n: f"person{n}")
    name = factory.Sequence(lambda n: f"测试员{n}")
    email = factory.LazyAttribute(lambda person: f"{person.username}@example.org")


class MembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Membership

    person = factory.SubFactory(PersonFactory)
    role = Role.AUDITOR
    starts_on = date(2020, 1, 1)
