"""The national list, as the project carries it."""

from linli.registry.divisions import communities_of, load_divisions, parent_code
from linli.registry.models import Division


def test_all_44703_divisions_are_loaded_each_under_its_parent(db: None) -> None:
    assert Division.objects.count() == 44_703
    assert {level: Division.objects.filter(level=level).count() for level in (2, 4, 6, 9)} == {
        2: 31,
        4: 342,
        6: 2_978,
        9: 41_352,
    }
    chezhan = Division.objects.get(pk="370303001")
    assert chezhan.name == "车站街道"
    assert [chezhan.parent.name, chezhan.parent.parent.name] == ["张店区", "淄博市"]


def test_loading_twice_adds_nothing(db: None) -> None:
    assert load_divisions() == 0


def test_a_street_has_its_listed_communities() -> None:
    listed = communities_of("370303001")

    assert len(listed) == 11
    assert [c.name for c in listed if c.code == "370303001007"] == ["城南社区居委会"]
    assert communities_of("999999999") == []


def test_the_parent_of_a_code_is_its_prefix() -> None:
    assert [parent_code(c) for c in ("370303001", "370303", "3703", "37")] == [
        "370303", "3703", "37", None,
    ]  # fmt: skip
