"""The file: exactly the rows of the connection, as its requester may read them when it is written."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
from io import StringIO
from unittest.mock import patch

import pytest
from django.core.files.storage import storages
from django.db import connection

from linli.accounts.models import Membership
from linli.accounts.policy import Role, actor_for
from linli.errors import Refused
from linli.registry.models import Tenant
from linli.tenancy.context import tenant_context
from linli_api.exports import files, run
from linli_api.exports.actions import cancel_export, request_export
from linli_api.exports.jobs import forget_export
from linli_api.exports.models import Export
from tenants.partners.models import Partner
from tests.linli_api.exports.conftest import NAMES, plant
from tests.support.databases import ROOT

PARTNERS = "{ partners { nodes { name community { name } } } }"


def written(actor, document=PARTNERS, format="jsonl", **variables) -> tuple[Export, str]:
    """An export that ran to its end, and its text."""
    export = request_export(actor=actor, document=document, format=format, variables=variables)
    run.write_out(actor.tenant, export.pk)
    export.refresh_from_db()
    return export, b"".join(files.read(export)).decode()


def rows(text: str) -> list:
    return [json.loads(line) for line in text.splitlines()]


def cells(text: str) -> list[list[str]]:
    assert text[0] == "\ufeff"
    return list(csv.reader(StringIO(text[1:], newline="")))


class TestRows:
    def test_every_row_stands_there_once_in_the_order_of_the_list(self, town):
        export, text = written(town.administrator)
        assert [row["name"] for row in rows(text)] == NAMES
        assert rows(text)[1] == {"name": "伙伴001", "community": {"name": "城南社区"}}
        assert (export.status, export.rows, export.total) == ("done", 250, 250)
        assert export.size == len(text.encode())

    def test_arguments_variables_aliases_and_fragments_hold(self, town):
        document = """query($kind: String, $of: Boolean!) {
            all: partners(kind: $kind, orderBy: NEWEST) { nodes { ...P called: name } }
        } fragment P on Partner { id @skip(if: $of) kind @include(if: $of) }"""
        _, text = written(town.administrator, document, kind="enterprise", of=True)
        assert rows(text)[0] == {"kind": "enterprise", "called": NAMES[-1]}
        _, none = written(town.administrator, document, kind="clinic", of=True)
        assert none == ""

    def test_a_requester_of_one_community_gets_its_rows(self, town):
        export, text = written(town.secretary)
        assert {row["community"]["name"] for row in rows(text)} == {"城南社区"}
        assert export.rows == 125

    def test_rows_too_large_for_one_answer_come_in_shorter_pages(self, town, settings):
        settings.LINLI_ANSWER_BYTES = 2_000
        export, text = written(town.administrator)
        assert [row["name"] for row in rows(text)] == NAMES
        assert (export.status, export.rows, export.total) == ("done", 250, 250)

    def test_a_row_too_large_for_any_ends_it(self, town, settings):
        settings.LINLI_ANSWER_BYTES = 50
        given = {"document": PARTNERS, "format": "jsonl", "variables": {}}
        with pytest.raises(Refused, match="ANSWER_TOO_LARGE"):
            request_export(actor=town.administrator, **given)
        assert not Export.objects.exists()

    def test_who_lost_the_permission_meanwhile_gets_nothing(self, town):
        export = request_export(actor=town.administrator, document=PARTNERS, format="csv")
        Membership.objects.filter(person=town.administrator.person).update(role=Role.PARTNER)
        run.write_out(town.street, export.pk)
        export.refresh_from_db()
        assert (export.status, export.error["code"], export.rows) == ("failed", "FORBIDDEN", 0)

    def test_who_gained_one_meanwhile_gets_no_more_than_was_asked(self, town):
        export = request_export(actor=town.secretary, document=PARTNERS, format="csv")
        Membership.objects.filter(person=town.secretary.person).update(community_id=None)
        run.write_out(town.street, export.pk)
        export.refresh_from_db()
        assert export.rows == 125

    def test_sentences_are_in_the_language_it_was_asked_in(self, town):
        from django.utils.translation import override

        with override("zh-hans"):
            export = request_export(actor=town.administrator, document=PARTNERS, format="csv")
        Membership.objects.filter(person=town.administrator.person).delete()
        with override("en"):
            run.write_out(town.street, export.pk)
        export.refresh_from_db()
        assert export.language == "zh-hans"
        assert "权限" in export.error["message"] or "角色" in export.error["message"]


class TestCsv:
    def test_nested_values_have_dotted_headings_and_lists_one_cell(self, town):
        document = """{ communities(first: null) { nodes {
            name residents two: partners(first: 2, orderBy: OLDEST) { nodes { name } totalCount }
        } } }""".replace("(first: null)", "")
        _, text = written(town.administrator, document, "csv")
        head, first, second = cells(text)
        assert head == ["name", "residents", "two.nodes", "two.totalCount"]
        assert first == ["城南社区", "", '[{"name":"伙伴001"},{"name":"伙伴003"}]', "125"]
        assert second[0] == "工盛社区"

    def test_a_list_of_nothing_has_its_heading(self, town):
        document = '{ partners(kind: "clinic") { nodes { id community { name } } } }'
        export, text = written(town.administrator, document, "csv")
        assert cells(text) == [["id", "community.name"]]
        assert (export.status, export.rows, export.total) == ("done", 0, 0)

    @pytest.mark.parametrize(
        ("name", "cell"),
        [
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("+86 138", "'+86 138"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            (" =1", "' =1"),
            ("＝1+1", "'＝1+1"),
            ("\tx", "'\tx"),
            ("-12.50", "-12.50"),
            ('说"好", 行\n二', '说"好", 行\n二'),
            ("a=b", "a=b"),
        ],
    )
    def test_no_cell_is_a_formula(self, town, name, cell):
        Partner.objects.filter(name=NAMES[0]).update(name=name)
        _, text = written(town.administrator, PARTNERS, "csv")
        assert cell in [row[0] for row in cells(text)]

    def test_both_formats_tell_the_same(self, town):
        document = "{ partners { nodes { id name isIndividual joinedOn community { name } } } }"
        _, lines = written(town.administrator, document)
        _, table = written(town.administrator, document, "csv")
        told = [
            [row["id"], row["name"], "false", row["joinedOn"], row["community"]["name"]]
            for row in rows(lines)
        ]
        assert cells(table)[1:] == told


class TestParts:
    def test_the_row_tells_how_far_it_is_though_no_part_is_full(self, town, monkeypatch):
        monkeypatch.setattr(run, "PART_SECONDS", 0)
        export = request_export(actor=town.administrator, document=PARTNERS, format="jsonl")
        keep, told = files.keep, []

        def look(one, content):
            told.append(Export.objects.values_list("rows", "total").get(pk=export.pk))
            return keep(one, content)

        monkeypatch.setattr(files, "keep", look)
        run.write_out(town.street, export.pk)
        assert told == [(0, None), (100, 250), (200, 250)]

    def test_pages_too_dear_for_a_request_become_shorter_ones(self, town, settings):
        document = "{ partners { nodes { name community { name } } } }"
        settings.LINLI_POINTS_A_REQUEST = (
            9  # 1, 1 for totalCount, 1 for ten rows, 1 for each row's community
        )
        asked, run_one = [], run.run

        def listen(schema, request, actor):
            asked.append(request.variables["exportFirst"])
            return run_one(schema, request, actor)

        with patch.object(run, "run", listen):
            _export, text = written(town.administrator, document)
        assert [row["name"] for row in rows(text)] == NAMES
        assert set(asked) == {0, 6}

    def test_what_became_too_dear_since_is_told(self, town, settings):
        export = request_export(actor=town.administrator, document=PARTNERS, format="jsonl")
        settings.LINLI_POINTS_A_REQUEST = 2
        run.write_out(town.street, export.pk)
        export.refresh_from_db()
        assert (export.status, export.error["code"], export.rows) == ("failed", "COST_TOO_HIGH", 0)

    def test_a_file_of_many_parts_is_the_same_file(self, town, monkeypatch):
        _, whole = written(town.administrator, PARTNERS, "csv")
        monkeypatch.setattr(run, "PART_BYTES", 1000)
        export, parted = written(town.administrator, PARTNERS, "csv")
        assert len(export.parts) == 3
        assert parted == whole

    def test_memory_does_not_grow_with_the_rows(self, town):
        def peak(copies: int) -> int:
            Partner.objects.bulk_create(
                Partner(
                    community=town.chengnan,
                    name=f"{copies} {n}",
                    kind="x" * 40,
                    joined_on="2025-01-01",
                )
                for n in range(copies)
            )
            tracemalloc.start()
            export, _ = written_only(town.administrator)
            most = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert export.status == "done"
            return most

        def written_only(actor):
            fields = " ".join(f"a{n}: kind" for n in range(40))
            document = f"{{ partners {{ nodes {{ name {fields} }} }} }}"
            export = request_export(actor=actor, document=document, format="jsonl")
            run.write_out(actor.tenant, export.pk)
            export.refresh_from_db()
            return export, None

        peak(0)  # what is loaded once
        small, large = peak(500), peak(4000)
        assert large < 2 * small + 8 * run.PART_BYTES

    def test_called_off_in_the_middle_it_stops_and_leaves_no_file(self, town, folder, monkeypatch):
        monkeypatch.setattr(run, "PART_BYTES", 1000)
        export = request_export(actor=town.administrator, document=PARTNERS, format="jsonl")
        keep, kept = files.keep, []

        def keep_and_cancel(one, content):
            name = keep(one, content)
            kept.append(name)
            if len(kept) == 2:
                cancel_export(actor=town.administrator, export_id=export.pk)
            return name

        monkeypatch.setattr(files, "keep", keep_and_cancel)
        run.write_out(town.street, export.pk)
        export.refresh_from_db()
        assert (export.status, len(export.parts), len(kept)) == ("cancelled", 1, 2)
        forget_export(tenant_id=str(town.street.pk), export_id=str(export.pk))
        assert [path for path in folder.rglob("*") if path.is_file()] == []

    def test_two_workers_at_it_write_every_row_once(self, town, monkeypatch):
        monkeypatch.setattr(run, "PART_BYTES", 1000)
        export = request_export(actor=town.administrator, document=PARTNERS, format="jsonl")
        keep, inside = files.keep, []

        def keep_after_another(one, content):
            if not inside:
                inside.append(True)
                run.write_out(town.street, export.pk)  # the other one comes and does it all
            return keep(one, content)

        monkeypatch.setattr(files, "keep", keep_after_another)
        run.write_out(town.street, export.pk)
        export.refresh_from_db()
        text = b"".join(files.read(export)).decode()
        assert [row["name"] for row in rows(text)] == NAMES
        names = storages["exports"].listdir(f"{town.street.schema_name}/{export.pk}")[1]
        assert len(names) == len(export.parts)

    def test_a_fault_of_ours_is_told_as_one(self, town, monkeypatch, caplog):
        def full(*_):
            raise OSError("No space left on /secret/path")

        monkeypatch.setattr(files, "keep", full)
        export = request_export(actor=town.administrator, document=PARTNERS, format="jsonl")
        run.write_out(town.street, export.pk)
        export.refresh_from_db()
        assert (export.status, export.error["code"]) == ("failed", "INTERNAL")
        assert "secret" not in export.error["message"]
        assert "/secret/path" in caplog.text


SLOW_WORKER = """
import sys, time
import django
django.setup()
from django.core.management import call_command
from linli_api.exports import run
run.PART_BYTES = 1000
next_part = run._next_part
def slowly(*arguments):
    time.sleep(float(sys.argv[1]))
    return next_part(*arguments)
run._next_part = slowly
call_command("procrastinate", "worker", "--queues", "app", "--one-shot")
"""
RETRY = """
import django
django.setup()
from linli.jobs import retry_stalled
retry_stalled(timestamp=0)
"""


def test_killed_it_is_taken_up_where_it_was(scratch_database, actor_as, folder):
    """By SIGKILL, in the middle, twice: no row is missing, and none stands twice."""
    street = Tenant.objects.get(slug="chezhan")
    place = {"LINLI_EXPORTS": str(folder)}
    with tenant_context(street):
        plant(street)
        actor = actor_as(street, Role.STREET_ADMINISTRATOR)
        actor = actor_for(actor.person, street)
        export = request_export(actor=actor, document=PARTNERS, format="csv")
        for parts in (1, 2):
            worker = subprocess.Popen(
                [sys.executable, "-c", SLOW_WORKER, "0.5"],
                cwd=ROOT,
                env=scratch_database.environment(**place),
            )
            _wait_for_parts(export, parts, worker)
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait()
            export.refresh_from_db()
            assert export.status == "running"
            _forget_heartbeats()
            assert scratch_database.run("-c", RETRY, login="app").returncode == 0
        done = scratch_database.run("-c", SLOW_WORKER, "0", login="app", **place)
        assert done.returncode == 0, done.stderr
        export.refresh_from_db()
        text = b"".join(files.read(export)).decode()
    assert (export.status, export.rows, len(export.parts)) == ("done", 250, 3)
    assert [row[0] for row in cells(text)[1:]] == NAMES
    with tenant_context(street):
        assert Partner.objects.count() == 250


def _wait_for_parts(export: Export, parts: int, worker: subprocess.Popen) -> None:
    deadline = time.monotonic() + 60
    while len(export.parts) < parts:
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.02)
        export.refresh_from_db()


def _forget_heartbeats() -> None:
    """As if half a minute had passed since the worker was heard of."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = 'epoch'")
