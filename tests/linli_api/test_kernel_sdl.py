import pytest
from django.core.management import CommandError, call_command

from linli_api import sdl


def test_the_committed_sdl_is_the_codes():
    for side, text in sdl.rendered().items():
        assert sdl.committed(side).read_text() == text, f"{side}.graphql is stale. Run: make sdl"


@pytest.mark.parametrize("before", ["", "type Query {\n  gone: Int\n}\n"])
def test_a_stale_one_is_found_and_written_anew(before, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sdl, "FOLDER", tmp_path)
    (tmp_path / "tenant.graphql").write_text(before)
    with pytest.raises(
        CommandError,
        match=r"tenant\.graphql and platform\.graphql and events\.graphql and http\.graphql",
    ):
        call_command("graphql_sdl", "--check")
    assert "+type Query {" in capsys.readouterr().out or before
    call_command("graphql_sdl")
    call_command("graphql_sdl", "--check")
    assert (tmp_path / "tenant.graphql").read_text().startswith('"""\nEverything that can be read.')
