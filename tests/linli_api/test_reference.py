"""The reference's page: words of the field lead to the glossary on it, titles are the reader's."""

import re
from datetime import date

import pytest
from django.test import Client
from django.utils.translation import override

from linli.accounts.policy import Role, system_actor
from linli.ids import encode
from linli.tenancy.context import tenant_context
from linli_api.evolution.http import HEADERS, WEBHOOK, codes
from linli_api.reference import glossary
from linli_api.reference.content import sections
from linli_api.reference.examples import examples
from linli_api.reference.glossary import described, terms
from tenants.communities.actions import add_community
from tenants.partners.models import Partner

HOSTS = {"tenant": "chezhan.linli.localhost", "platform": "linli.localhost"}
each_side = pytest.mark.parametrize("side", HOSTS)


@pytest.fixture
def page(db, street, actor_as):
    person = actor_as(street, Role.AUDITOR).person

    def get(side: str, language: str = "en") -> str:
        client = Client(headers={"host": HOSTS[side], "accept-language": language})
        client.force_login(person)
        return client.get("/graphql/docs").content.decode()

    return get


def entry(page: str, anchor: str) -> str:
    return page.partition(f'<details class="entry" id="{anchor}">')[2].partition("</details>")[0]


@each_side
def test_each_type_that_the_glossary_names_leads_to_its_term(page, side):
    shown = page(side)
    named = [
        (one.name, term.anchor)
        for section in sections(side)
        for one in section.types
        for term in terms()
        if f"`{one.name}`" in term.code
    ]
    assert len(named) >= {"tenant": 14, "platform": 5}[side]
    for name, anchor in named:
        assert f'href="#{anchor}"' in entry(shown, name), name


@each_side
def test_every_link_to_the_glossary_arrives_on_the_page(page, side):
    shown = page(side)
    linked, there = (
        set(re.findall(r'href="#(term-[^"]+)"', shown)),
        re.findall(r'id="([^"]+)"', shown),
    )
    assert len(linked) > 10
    assert linked <= set(there)
    assert len(there) == len(set(there))
    assert [term for term in terms() if f'<dt id="{term.anchor}"' not in shown] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A partner of the street office.", ["partner", "street office"]),
        ("Partners in their communities; a partner's community.", ["Partners", "communities"]),
        ("What is owed (反哺), a contribution.", ["反哺"]),
        ("A contribution (反哺).", ["contribution"]),
        ("The city supervisor compares cities.", ["city supervisor", "cities"]),
        ("In `fund` is partnership, refunded.", []),
        ("社区发展基金 of a 社区", ["社区发展基金", "社区"]),
        ("Whole <fen> & yuan", ["fen"]),
    ],
)
def test_a_word_is_linked_where_it_is_said_first(text, words):
    html = str(described(text))
    assert re.findall(r"<a [^>]*>([^<]*)</a>", html) == words
    assert re.sub(r"</?(a|code)\b[^>]*>", "", html) == (
        text.replace("`", "").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    ).replace("'", "&#x27;")


def test_without_the_pages_nothing_is_linked(monkeypatch, tmp_path):
    monkeypatch.setattr(glossary, "PAGE", tmp_path / "gone.md")
    for cached in (glossary.terms, glossary._by_word, glossary._words):
        cached.cache_clear()
    try:
        assert described("A partner of `Fund` (反哺).") == "A partner of <code>Fund</code> (反哺)."
    finally:
        for cached in (glossary.terms, glossary._by_word, glossary._words):
            cached.cache_clear()


@each_side
def test_headers_and_codes_are_told(page, side):
    english, chinese = page(side), page(side, "zh-hans")
    for whose, (title, headers) in HEADERS.items():
        shown = entry(english, f"headers-{whose}")
        assert [one.name for one in headers] == re.findall(r"<dt><code>([^<]+)", shown)
        with override("zh-hans"):
            assert f"<summary><span>{title}</span>" in entry(chinese, f"headers-{whose}")
            assert re.search("[一-鿿]", str(title))
    assert {"Linli-Event", "Linli-Delivery", "Linli-Signature"} <= {one.name for one in WEBHOOK}
    assert len(codes()) > 150
    assert "](" not in "".join(code.wrong + code.what_to_do for code in codes())
    told = entry(english, "code-SLUG_TAKEN")
    assert "Another unit has this address." in told
    assert "Choose another slug." in told


@each_side
def test_code_is_shown_as_code(page, side):
    """Outside of the examples no backtick is left, in a heading of an entry either."""
    shown = re.sub(r"<pre>.*?</pre>|<script.*?</script>", "", page(side), flags=re.DOTALL)
    assert [line.strip() for line in shown.splitlines() if "`" in line] == []


@each_side
def test_the_titles_of_examples_are_in_the_readers_language(page, side):
    chinese, english = page(side, "zh-hans"), page(side, "en")
    for one in examples(side):
        with override("zh-hans"):
            title = one.title
        assert re.search("[一-鿿]", title)
        assert f"<span>{title}</span>" in entry(chinese, f"example-{one.name}")
        assert one.about in english
        assert one.about not in chinese


def test_a_cursor_is_good_where_it_was_given_only(page):
    """So what is tried here begins at the first row, and what takes a moment says so."""
    [since] = [one for one in examples("tenant") if one.variables.get("after")]
    shown = entry(page("tenant"), f"example-{since.name}")
    assert "&quot;after&quot;: null" in shown
    assert since.variables["after"] not in shown
    moment = "It takes a moment: ask again until it is answered so."
    for one in examples("tenant"):
        assert (moment in entry(page("tenant"), f"example-{one.name}")) is one.again


def test_the_examples_ids_are_those_of_the_place_that_is_read_at(page, street):
    with tenant_context(street):
        actor = system_actor(street)
        community = add_community(actor=actor, name="城南社区", opened_on=date(2024, 1, 1))
        partner = Partner.objects.create(
            community=community, name="诊所", kind="enterprise", joined_on=date(2024, 1, 1)
        )
    shown = page("tenant")
    theirs = next(one.variables["id"] for one in examples("tenant") if "id" in one.variables)
    assert encode("Partner", partner.pk) in shown
    assert (
        f"&quot;id&quot;: &quot;{theirs}&quot;"
        not in entry(shown, "example-contribution").partition("<h3>Answer")[0]
    )
