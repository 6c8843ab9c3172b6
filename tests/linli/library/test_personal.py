"""M4: what has the form of somebody's number or address, however people type it."""

import pytest

from linli.library.personal import looks_like
from linli.library.places import is_worded


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("x13800138000", "mobile"),
        ("13800138000x", "mobile"),
        ("013800138000", "mobile"),
        ("008613800138000", "mobile"),
        ("（+86）138 0013 8000", "mobile"),
        ("138  0013  8000", "mobile"),
        ("138·0013·8000", "mobile"),
        ("138—0013—8000", "mobile"),
        ("138_0013_8000", "mobile"),
        ("138 . 0013 . 8000", "mobile"),
        ("138–0013–8000", "mobile"),
        ("1380 0138 000", "mobile"),
        ("5 号楼 3 138-0013-8000", "mobile"),
        ("2025-01-31 138 0013 8000", "mobile"),
        ("13900139000、13800138000", "mobile"),
        ("110101 19900101 123X", "id_card"),
        ("110101 19900101 123 x", "id_card"),
        ("110101-19900307-1234", "id_card"),
        ("110101 1990 03 07 1234", "id_card"),
        ("110101.19900307.1234", "id_card"),
        ("１１０１０１１９９００３０７１２３Ｘ", "id_card"),
        ("a_b@example.org", "email"),
    ],
)
def test_is_found(text, what):
    assert looks_like(text) == what
    assert looks_like(f"联系王医生{text}。") == what


@pytest.mark.parametrize(
    "text",
    [
        "13,800,138,000",
        "13 800 138 000 元",
        "1,380,013,800,000",
        "138.0013",
        "138001380001",
        "2025-01-31 至 2026-12-31",
        "1500、2000、3000、18",
        "138\n0013\n8000",
        "110101199013071234",
        "区划代码 370303001001",
        "每周三 8.30-11.30，14.00-17.00",
        "1.5 2.5 3.5 4.5 5.5 6",
    ],
)
def test_is_nobodys(text):
    assert looks_like(text) is None


@pytest.mark.parametrize(
    ("path", "value", "worded"),
    [
        ("partners.rent_free_months", 3, False),
        ("partners.contributions[stationed].rate", "0.02", False),
        ("partners.contributions[stationed].rate", "13800138000", True),
        ("partners.contributions[stationed].modes", ["stationed"], False),
        ("partners.contributions[stationed].modes", ["stationed", "x13800138000"], True),
        ("partners.kinds[enterprise].tier", "extended", False),
        ("partners.kinds[enterprise].key", "wang", True),
        ("partners.kinds[enterprise].title", {"zh": "企业", "en": None}, True),
        ("partners.kinds[choir]", None, False),
    ],
)
def test_what_somebody_may_have_worded(path, value, worded):
    assert is_worded(path, value) is worded
