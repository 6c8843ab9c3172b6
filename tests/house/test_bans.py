"""What our code must not do, where a name alone does not tell it: ruff's banned-api holds those."""

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.house.sources import PACKAGES, Source, files, python, texts
from tests.support.databases import ROOT

Ban = Callable[[Source], Iterator[int]]

PRODUCT: list[Ban] = []
EVERYWHERE: list[Ban] = []

WRITES = {
    "create", "bulk_create", "get_or_create", "update_or_create", "update", "bulk_update",
    "delete", "save", "acreate", "aupdate", "adelete", "asave",
}  # fmt: skip


# Who may request or suspend a tenant is the accounts' policy, which stands above the registry.
ACTIONS_STAND_IN = {"linli.registry.models": "onboarding"}


def product(ban: Ban) -> Ban:
    PRODUCT.append(ban)
    return ban


def everywhere(ban: Ban) -> Ban:
    EVERYWHERE.append(ban)
    return ban


# ── In the product's Python ──────────────────────────────────────────────────────────────────────


@product
def coroutine(source: Source) -> Iterator[int]:
    """`async def`: coroutines of one thread share its connection, and read each other's tenant.
    Where they are at home, each has a line of its own."""
    at_home = ("graphql/linli_api/express/", "platform/linli/tenancy/postgresql/lines.py")
    if source.path.startswith(at_home):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.AsyncWith | ast.AsyncFor | ast.Await):
            yield node.lineno


@product
def bare_with(source: Source) -> Iterator[int]:
    """`with tenant:` keeps its previous tenant on the class and leaks: call tenant_context(tenant)."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.With):
            for item in node.items:
                named = item.context_expr
                if isinstance(named, ast.Name | ast.Attribute) and not _last(named).endswith(
                    "lock"
                ):
                    yield named.lineno


@product
def floating_point(source: Source) -> Iterator[int]:
    """A float: money is whole fen, a rate a Decimal made from text."""
    fine = (
        set()
    )  # `isinstance(value, float)` and `case float()` turn floats away; seconds may be one
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _last(node.func) in ("isinstance", "sleep"):
            fine |= {id(inner) for inner in ast.walk(node)}
        elif isinstance(node, ast.MatchClass):
            fine |= {id(inner) for inner in ast.walk(node.cls)}
    for node in ast.walk(source.tree):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        named = isinstance(node, ast.Name) and node.id == "float"
        if (literal or named) and id(node) not in fine:
            yield node.lineno


@product
def neighbours_rows(source: Source) -> Iterator[int]:
    """Writing another app's rows: call the action of the app that owns them."""
    models, modules = set(), set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if node.module.endswith(".models") and not _owns(source, node.module):
                    models.add(alias.asname or alias.name)
                elif whole.endswith(".models") and not _owns(source, whole):
                    modules.add(alias.asname or alias.name)
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and _last(node.func) in WRITES:
            start, *path = _chain(node.func)
            if path and (start in models or (start in modules and len(path) > 1)):
                yield node.lineno


@product
def rule_in_save(source: Source) -> Iterator[int]:
    """A model's save() or delete(): a rule stands in an action. Only the tenancy guards may."""
    if source.app == "linli.tenancy" or "/models" not in source.path:
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name in ("save", "delete"):
                    yield method.lineno


def _owns(source: Source, module: str) -> bool:
    """Third-party models have no actions of ours, so whoever extends them writes them."""
    ours = module.split(".")[0] in PACKAGES
    own = module.startswith(f"{source.app}.") or source.app == ACTIONS_STAND_IN.get(module)
    return own or not ours


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _chain(node: ast.expr) -> list[str]:
    """``Partner.objects.filter(…)`` → ["Partner", "objects", "filter"]; [""] if it starts elsewhere."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call | ast.Subscript):
            node = node.func if isinstance(node, ast.Call) else node.value
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        else:
            names.append(node.id if isinstance(node, ast.Name) else "")
            return names[::-1]


# ── In every file ────────────────────────────────────────────────────────────────────────────────

# Written so that this file does not name them.
HOSTS = re.compile(
    r"py[p]i\.org|python[h]osted|npm[j]s|yarn[p]kg|un[p]kg|js[d]elivr|cdn[j]s|proxy\.go[l]ang"
    r"|registry\.terra[f]orm|crates[.]io|docker[.]io|aliyun[.]com|tuna[.]tsinghua"
)
MACHINE = re.compile(r"(?<![\w.<>*-])/(?:work|root|farm)/\w|(?<![\w.<>*-])/home/\w")


@everywhere
def registry_host(source: Source) -> Iterator[int]:
    """The name of a package registry's host: any mirror has to do."""
    return _matching(HOSTS, source)


@everywhere
def machine_path(source: Source) -> Iterator[int]:
    """A path of one machine."""
    return _matching(MACHINE, source)


CODE = re.compile(r"[(, ][A-Z]\d{1,2}[,)]")


@everywhere
def code_of_an_inner_document(source: Source) -> Iterator[int]:
    """(P1), (F3): what integrators read, the schemas and the pages, says things in words."""
    read = source.path.endswith((".graphql", ".md")) and not source.path.startswith("docs/adr/")
    if read:
        yield from _matching(CODE, source)


def _matching(pattern: re.Pattern[str], source: Source) -> Iterator[int]:
    for number, line in enumerate(source.text.splitlines(), 1):
        if pattern.search(line):
            yield number


# ── The rules held ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("ban", PRODUCT, ids=lambda ban: ban.__name__)
def test_the_product_keeps_the_ban(ban: Ban) -> None:
    _holds(ban, python())


def test_no_test_enters_a_tenant_by_with() -> None:
    _holds(bare_with, python(tests=True))


@pytest.mark.parametrize("ban", EVERYWHERE, ids=lambda ban: ban.__name__)
def test_every_file_keeps_the_ban(ban: Ban) -> None:
    _holds(ban, texts())


def test_shelves_and_test_folders_are_no_packages() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in files() if path.name == "__init__.py"]

    assert [
        name
        for name in names
        if name in ("platform/__init__.py", "graphql/__init__.py") or name.startswith("tests/")
    ] == []


def _holds(ban: Ban, sources: Iterator[Source]) -> None:
    places = [f"{source.path}:{line}" for source in sources for line in sorted(set(ban(source)))]
    assert not places, "\n".join([str(ban.__doc__), *places])


# ── The rules themselves: each sees what it forbids, on the lines given, and nothing else ────────

SAMPLES = [
    (coroutine, "async def job():\n    await work()\n", [1, 2]),
    (coroutine, "def job():\n    work()\n", []),
    (bare_with, "with tenant:\n    pass\nwith open(a), self.street:\n    pass\n", [1, 3]),
    (bare_with, "with tenant_context(tenant), self._lock:\n    pass\n", []),
    (floating_point, "rate = 0.03\nshare = float('0.03')\nwhole: float = 1\n", [1, 2, 3]),
    (floating_point, "if isinstance(x, (float, str)):\n    sleep(0.1)\nDecimal('0.03')\n", []),
    (
        neighbours_rows,
        "from tenants.partners.models import Partner as P\nfrom tenants.partners import models\n"
        "P.objects.filter(name='').update(name='a')\nmodels.Partner(name='a').save()\n",
        [3, 4],
    ),
    (
        neighbours_rows,
        "from tenants.fund.models import Fund\nfrom tenants.partners.models import Partner\n"
        "Fund.objects.create()\nPartner.objects.get().name\n{}.update(a=Partner.objects.first())\n",
        [],
    ),
    (rule_in_save, "class Fund:\n    def save(self):\n        pass\n", [2]),
    (
        rule_in_save,
        "def save():\n    pass\nclass Fund:\n    def __str__(self):\n        pass\n",
        [],
    ),
    (
        registry_host,
        "a\nhttps://" + "pypi" + ".org/simple\n" + "files.python" + "hosted.org",
        [2, 3],
    ),
    (registry_host, "https://linli.localhost\n", []),
    (machine_path, 'a = "' + "/ro" + 'ot/linli"\nb = "' + "/ho" + 'me/me"\n', [1, 2]),
    (machine_path, "/var/lib/linli\nhttps://example.org/work/a\n<checkout>/work/a\n", []),
]


def test_a_code_is_seen_where_integrators_read() -> None:
    text = "A partner (合伙人, P1).\nFen (F3), L12)\nISO 8601 (2020-12) P1\nWithin (M1, M2)\n"
    for path, lines in (
        ("a/tenant.graphql", [1, 2, 4]),
        ("docs/a.md", [1, 2, 4]),
        ("docs/adr/a.md", []),
        ("a.py", []),
    ):
        assert list(code_of_an_inner_document(Source(path, text))) == lines


@pytest.mark.parametrize(("ban", "text", "lines"), SAMPLES)
def test_a_ban_sees_what_it_forbids(ban: Ban, text: str, lines: list[int]) -> None:
    assert sorted(set(ban(Source("tenants/fund/models.py", text)))) == lines
