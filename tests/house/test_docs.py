"""The pages are true or gone: links, paths, commands, variables, SQL and GraphQL they name exist."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands
from graphql import GraphQLSchema, build_schema, parse, validate

from linli import embedded
from tests.house.pages import Page, examples, pages
from tests.house.sources import PACKAGES, files, python
from tests.support.databases import ROOT

PAGES = pages()
SHELLS = ("sh", "text")
RUNNING = Page(ROOT / "docs/running.md")
SDL = {side: ROOT / f"graphql/linli_api/{side}.graphql" for side in ("tenant", "platform")}

# A path: of a top folder of ours, or a single file by its ending.
TOPS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build", "node_modules"}
FILE = re.compile(r"[\w.-]+\.(py|md|toml|yaml|graphql|txt|in|json|po|html|conf\.py)")
MODULE = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+")
TARGET = re.compile(r"\bmake +((?:-\w+ +)*)([a-z][a-z-]*)")
VARIABLE = re.compile(r"LINLI_[A-Z_]+|(?:OWNER_)?DATABASE_URL")


def on_each_page(test):
    return pytest.mark.parametrize("page", PAGES, ids=str)(test)


@on_each_page
def test_links_lead_somewhere(page: Page) -> None:
    assert [link for link in page.links() if not _leads_somewhere(page, link)] == []


@on_each_page
def test_paths_in_code_type_exist(page: Page) -> None:
    assert [path for path in _paths(page) if not _exists(path)] == []


@on_each_page
def test_modules_in_code_type_exist(page: Page) -> None:
    named = [name for name in page.in_code_type() if MODULE.fullmatch(name)]
    assert [name for name in named if not _is_code(name)] == []


@on_each_page
def test_commands_exist(page: Page) -> None:
    shown = "\n".join(
        [*page.in_code_type(), *(block.text for block in page.blocks(*SHELLS) if block.text)]
    )
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {name for _options, name in TARGET.findall(shown)} <= targets
    assert set(re.findall(r"manage\.py (\w+)", shown)) <= set(get_commands())
    modules = set(re.findall(r"python -m ([\w.]+)", shown))
    assert {name for name in modules if not _is_code(name)} <= {"gunicorn"}


def test_every_environment_variable_is_described_and_every_one_described_is_used() -> None:
    table = RUNNING.text.partition("## Environment variables")[2].partition("\n## ")[0]
    described = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)

    assert sorted(described) == sorted(_variables())


def test_the_statements_for_a_database_of_ones_own_are_those_of_the_embedded_one() -> None:
    shown = "".join(block.text for block in RUNNING.blocks("sql"))
    run = [*embedded._role_statements(set()), *embedded._database_statements(embedded.DATABASE)]
    made = f"CREATE DATABASE {embedded.DATABASE} OWNER {embedded.OWNER}"

    told = [statement.strip() for statement in shown.split(";") if statement.strip()]
    assert told.pop(2) == made
    assert told == [statement.as_string().replace('"', "") for statement in run]


@on_each_page
def test_graphql_fits_the_committed_schema(page: Page) -> None:
    for example in examples(page):
        schema = _schema("tenant" if example.at else "platform")
        assert validate(schema, parse(example.document)) == [], f"{page}:{example.line}"


def test_the_quickstart_has_examples_of_both_hosts() -> None:
    found = examples(Page(ROOT / "docs/quickstart.md"))
    assert {example.at is None for example in found} == {True, False}
    assert any("mutation" in example.document for example in found)


def test_the_readme_leads_to_every_page() -> None:
    readme = Page(ROOT / "README.md")
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in readme.links()}
    written = {page.path for page in PAGES if page.path.parent == ROOT / "docs"}
    assert written <= linked


def test_what_is_dead_is_seen(tmp_path: Path) -> None:
    page = Page(tmp_path / "page.md")
    page.path.write_text(
        "# A page\n[here](#a-page) [gone](#b-page) [gone](gone.md) [out](https://example.org)\n"
        "`tenants/fund/ledger.py` `tenants/<name>/models.py` `ledger.py` `tenants/gone/` `gone.py`\n"
        "`linli.money.split` `linli.money` `linli.money.gone` `linli.gone`\n"
    )

    assert [link for link in page.links() if not _leads_somewhere(page, link)] == [
        "#b-page",
        "gone.md",
    ]
    assert [path for path in _paths(page) if not _exists(path)] == ["tenants/gone/", "gone.py"]
    assert [
        name for name in page.in_code_type() if MODULE.fullmatch(name) and not _is_code(name)
    ] == [
        "linli.money.gone",
        "linli.gone",
    ]


def _leads_somewhere(page: Page, link: str) -> bool:
    if re.match(r"https?://", link):
        return True
    path, _hash, anchor = link.partition("#")
    target = (page.path.parent / path).resolve() if path else page.path
    return target.exists() and (not anchor or anchor in Page(target).anchors())


def _paths(page: Page) -> Iterator[str]:
    drawn = " ".join(block.text for block in page.blocks("text")).split()
    for text in [*page.in_code_type(), *drawn]:
        ours = "/" in text and text.partition("/")[0] in TOPS and " " not in text
        if ours or FILE.fullmatch(text):
            yield text


def _exists(path: str) -> bool:
    """In the checkout; a bare file name may stand in any folder, and <…> for any name."""
    pattern = re.sub(r"<[^>]+>", "*", path.rstrip("/"))
    return any(ROOT.glob(pattern)) or ("/" not in path and path in _names())


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in files())


def _is_code(name: str) -> bool:
    """A module of ours, or something defined in one: linli.money, linli.money.split."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        module = _module(parts[:length])
        if module is not None:
            rest = parts[length:]
            text = module.read_text() if module.is_file() else ""
            return all(re.search(rf"^\s*(?:class |def )?{part}\b", text, re.M) for part in rest)
    return False


def _module(parts: list[str]) -> Path | None:
    folder = ROOT / PACKAGES.get(parts[0], parts[0])
    path = folder.joinpath(*parts[1:])
    found = (path.with_suffix(".py"), path / "__init__.py", path)
    return next((one for one in found if one.is_file()), path if path.is_dir() else None)


def _variables() -> set[str]:
    """What the product reads from its environment."""
    outside = (ROOT / "manage.py", ROOT / "gunicorn.conf.py")
    trees = [*(source.tree for source in python()), *(ast.parse(p.read_text()) for p in outside)]
    found: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call | ast.Subscript):
            found.update(_read_from_environ(node))
        elif isinstance(node, ast.Constant) and VARIABLE.fullmatch(str(node.value)):
            found.add(node.value)
    return found


def _read_from_environ(node: ast.Call | ast.Subscript) -> Iterator[str]:
    holder = node.func if isinstance(node, ast.Call) else node.value
    if ast.unparse(holder) in ("os.environ", "os.environ.get", "os.environ.setdefault"):
        key = node.args[0] if isinstance(node, ast.Call) else node.slice
        if isinstance(key, ast.Constant):
            yield key.value


@cache
def _schema(side: str) -> GraphQLSchema:
    return build_schema(SDL[side].read_text())
