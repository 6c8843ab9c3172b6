"""M5: versions that come from another installation, and whom this one believes."""

import json
import subprocess
import sys
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from io import StringIO
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.utils import timezone

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Forbidden, NotFound, Refused
from linli.events.models import Event
from linli.library.actions import Package, publish
from linli.library.checks import packages_are_signed
from linli.library.document import digest
from linli.library.models import PackageFile, PublishedVersion, TrustedSource
from linli.library.packages import actions
from linli.library.packages.actions import add_trusted_source, revoke_trusted_source, take_in
from linli.library.packages.drawing import draw
from linli.library.packages.writing import export
from linli.library.pictures import add_picture, drawn_anew, written_anew
from linli.library.signing import fingerprint, public_text, signing_key
from linli.registry.models import Sandbox, Tenant
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import adopt_version, publish_version
from tenants.operating_model.models import Adoption, ModelVersion
from tenants.operating_model.packages import import_package
from tenants.operating_model.selectors import effective_rules
from tests.linli.library.test_pictures import claims, told_where
from tests.linli.library.test_pictures import picture as photo
from tests.support.databases import ROOT, connect_to, copy_of_template
from tests.support.models import chengnan, write_chengnan
from tests.support.packages import RATE, content, key_of, package, picture, pixels, sign, trust
from tests.support.rows import rows_unchanged

PNG = pixels("PNG")


def _bytes(file):
    return file if isinstance(file, bytes) else file.encode()


def bring(tenant, file):
    with tenant_context(tenant):
        return import_package(actor=system_actor(tenant), file=_bytes(file))[0]


def refusal(tenant, file):
    with pytest.raises(Refused) as caught, rows_unchanged("public", tenant.schema_name):
        bring(tenant, file)
    return caught.value.code, caught.value.field


@pytest.mark.django_db
class TestSources:
    def test_one_is_believed_under_its_key_and_on_record(self, actor_as):
        operator = actor_as(None, Role.PLATFORM_OPERATOR)
        key = key_of(3).public_key()

        source = add_trusted_source(
            actor=operator, name=" 大同市 ", public_key=public_text(key), reason="电话核对过"
        )

        source.refresh_from_db()
        assert (source.name, source.fingerprint) == ("大同市", fingerprint(key))
        entry = Entry.objects.get(action="library.add_trusted_source")
        assert (entry.object_id, entry.reason) == (str(source.pk), "电话核对过")
        assert entry.person_id == operator.person_id

    @pytest.mark.parametrize(
        ("given", "code"),
        [
            ({"public_key": "abc"}, "PUBLIC_KEY_INVALID"),
            ({"name": " "}, "NAME_INVALID"),
            ({"name": "长" * 101}, "NAME_INVALID"),
            ({"name": "大同"}, "SOURCE_NAME_TAKEN"),
            ({"public_key": public_text(key_of(1).public_key())}, "SOURCE_KNOWN"),
            ({"public_key": public_text(signing_key().public_key())}, "SOURCE_KNOWN"),
        ],
    )
    def test_what_is_none_is_refused(self, given, code):
        trust(1)
        asked = {"name": "吕梁", "public_key": public_text(key_of(2).public_key())} | given
        with pytest.raises(Refused) as caught, rows_unchanged("public"):
            add_trusted_source(actor=system_actor(None), **asked)
        assert caught.value.code == code

    def test_a_key_that_was_revoked_stays_so(self):
        source = trust(1)
        revoke_trusted_source(
            actor=system_actor(None), trusted_source_id=source.pk, reason="钥匙丢了"
        )
        for again in (
            lambda: trust(1, "又一个"),
            lambda: revoke_trusted_source(
                actor=system_actor(None), trusted_source_id=source.pk, reason="再一次"
            ),
        ):
            with pytest.raises(Refused) as caught, rows_unchanged("public"):
                again()
            assert caught.value.code == "SOURCE_REVOKED"
        assert trust(2).name == source.name  # with a new key, under its old name

    def test_only_the_operator_says_whom_to_believe(self, street, actor_as):
        source = trust(1)
        supervisor = actor_as(None, Role.CITY_SUPERVISOR, held_at=street.parent.parent)
        with rows_unchanged("public"):
            with pytest.raises(Forbidden):
                add_trusted_source(actor=supervisor, name="吕梁", public_key="")
            with pytest.raises(Forbidden):
                revoke_trusted_source(actor=supervisor, trusted_source_id=source.pk, reason="x")

    def test_one_that_is_not_there_and_no_reason(self):
        system = system_actor(None)
        with pytest.raises(NotFound):
            revoke_trusted_source(actor=system, trusted_source_id=uuid4(), reason="x")
        with pytest.raises(Refused) as caught:
            revoke_trusted_source(actor=system, trusted_source_id=trust(1).pk, reason=" ")
        assert caught.value.code == "REASON_MISSING"

    def test_the_database_lets_nothing_else_of_it_change(self):
        trust(1)
        for write in (
            lambda: TrustedSource.objects.update(public_key="x"),
            lambda: TrustedSource.objects.all()._raw_delete("default"),
        ):
            with pytest.raises(ProgrammingError), transaction.atomic():
                write()


@pytest.mark.django_db
class TestTakingIn:
    @pytest.mark.parametrize(
        "other",
        [
            {"title": "另一个题目"},
            {"case_text": "全市推广。"},
            {"evidence": {"communities": {"value": "99.000000", "as_of": "2026-06-30"}}},
        ],
    )
    def test_other_words_or_evidence_under_the_same_name_are_refused(self, street, other):
        trust(1)
        told = content()
        first = bring(street, sign(told, key_of(1)))
        assert refusal(street, sign(told | other, key_of(1))) == ("PACKAGE_DIFFERS", "file")
        assert bring(street, sign(told, key_of(1))) == first

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"key": "wang-13800138000"}, "content.key"),
            ({"title": "王医生 138 0013 8000"}, "content.title"),
            ({"notes": "wang@example.com"}, "content.notes"),
            ({"case_text": "身份证 110101199003071234"}, "content.case_text"),
            ({"pictures": [picture(alt="王医生 13800138000")]}, "content.pictures.0.alt"),
            (
                {"pictures": [picture(), picture(caption="wang@example.com")]},
                "content.pictures.1.caption",
            ),
        ],
    )
    def test_nothing_personal_comes_in(self, street, given, field):
        trust(1)
        assert refusal(street, package(1, **given)) == ("PERSONAL_DATA", field)

    def test_it_stands_on_the_shelf_with_where_it_is_from(self, street):
        source = trust(1)
        told = content()

        found = bring(street, sign(told, key_of(1)))

        version = PublishedVersion.objects.get(pk=found.pk)
        assert (version.author, version.source, version.imported_by) == (None, source, street)
        assert str(version.origin_author_id) == told["author"]["id"]
        assert (version.written_by_name, version.key, version.number) == ("古城街道", "gucheng", 1)
        assert (version.document, version.bounds) == (told["document"], told["bounds"])
        assert (version.digest, version.notes) == (told["digest"], "第一版")
        assert (version.profiles, version.case_text) == (["old_estate"], "两年，三个社区。")
        assert version.evidence == told["evidence"]
        [kept] = version.pictures.all()
        assert (kept.position, kept.alt, kept.caption) == (0, "食堂的门口", "每天开门")
        assert (kept.content_type, kept.width, kept.height) == ("image/jpeg", 30, 20)
        assert bytes(kept.content) == written_anew(pixels()).content
        assert version.published_at == datetime(2026, 7, 1, tzinfo=UTC)
        entry = Entry.objects.get(action="library.import_package")
        assert entry.object_id == str(version.pk)
        assert entry.after["source_id"] == str(source.pk)
        assert entry.after["pictures"] == [{"id": str(kept.pk), "digest": kept.digest}]

    def test_each_picture_keeps_its_place(self, street):
        trust(1)
        given = [
            picture(alt="门口"),
            picture(PNG, alt="厨房", caption="", content_type="image/png"),
        ]
        version = bring(street, package(1, pictures=given))
        shown = version.pictures.order_by("position")
        assert [(one.position, one.alt, one.caption, one.content_type) for one in shown] == [
            (0, "门口", "每天开门", "image/jpeg"), (1, "厨房", "", "image/png"),
        ]  # fmt: skip

    @pytest.mark.parametrize(
        ("given", "refused"),
        [
            ([picture()] * 21, ("PACKAGE_INVALID", "content.pictures")),
            ([picture(), picture(alt=" ")], ("ALT_MISSING", "content.pictures.1.alt")),
            ([picture(), picture(digest="0" * 64)], ("PACKAGE_INVALID", "content.pictures.1.digest")),
            ([picture(), picture(pixels()[:300])], ("PACKAGE_INVALID", "content.pictures.1.content")),
            ([picture(), picture(b"<svg/>")], ("PACKAGE_INVALID", "content.pictures.1.content")),
            ([picture(), picture(claims(9_000, 9_000))], ("PACKAGE_INVALID", "content.pictures.1.content_type")),
        ],
    )  # fmt: skip
    def test_one_bad_picture_and_nothing_is_kept(self, street, given, refused):
        trust(1)
        assert refusal(street, package(1, pictures=given)) == refused

    def test_other_pictures_under_the_same_name_are_refused(self, street):
        trust(1)
        told = content()
        bring(street, sign(told, key_of(1)))
        for other in ([], [picture(alt="后门")], [picture(), picture()]):
            file = sign(told | {"pictures": other}, key_of(1))
            assert refusal(street, file) == ("PACKAGE_DIFFERS", "file")

    def test_a_source_that_is_revoked_while_pictures_are_drawn(self, street, monkeypatch):
        source = trust(1)

        def meanwhile(given):
            revoke_trusted_source(
                actor=system_actor(None), trusted_source_id=source.pk, reason="丢了"
            )
            return draw(given)

        monkeypatch.setattr(actions, "draw", meanwhile)
        with pytest.raises(Refused) as caught:
            bring(street, package(1))
        assert caught.value.code == "SOURCE_REVOKED"
        assert not PublishedVersion.objects.exists()

    def test_it_is_told_once_where_it_was_brought_in(self, street, other_street, actor_as):
        trust(1)
        file, actor = package(1).encode(), actor_as(street, Role.STREET_ADMINISTRATOR)
        with tenant_context(street):
            version, is_new = import_package(actor=actor, file=file)
            assert is_new
            assert import_package(actor=actor, file=file) == (version, False)
            [event] = Event.objects.all()
        assert (event.type, event.object_id) == ("package.imported", version.pk)
        assert event.person_id == actor.person_id
        assert event.data == {
            "key": "gucheng", "number": 1, "authorName": "古城街道", "digest": version.digest,
        }  # fmt: skip
        bring(other_street, file)
        with tenant_context(other_street):
            assert not Event.objects.exists()

    def test_the_same_file_again_changes_nothing(self, street, other_street):
        trust(1)
        file = package(1)
        first = bring(street, file)
        with rows_unchanged("public"):
            assert bring(street, file) == bring(other_street, file) == first

    def test_of_a_stranger_or_one_believed_no_more(self, street):
        file = package(1)
        assert refusal(street, file) == ("SOURCE_UNKNOWN", "file")
        source = trust(1)
        revoke_trusted_source(actor=system_actor(None), trusted_source_id=source.pk, reason="丢了")
        assert refusal(street, file) == ("SOURCE_REVOKED", "file")

    def test_what_came_before_stays_when_its_source_is_revoked(self, street):
        source = trust(1)
        file = package(1)
        version = bring(street, file)
        revoke_trusted_source(actor=system_actor(None), trusted_source_id=source.pk, reason="丢了")
        assert export(version).decode() == file

    def test_changed_bytes(self, street):
        trust(1)
        file = package(1)
        assert refusal(street, file.replace("第一版", "第二版")) == ("PACKAGE_TAMPERED", None)

    def test_another_one_under_the_same_name(self, street):
        trust(1)
        told = content()
        bring(street, sign(told, key_of(1)))
        changed = chengnan()
        changed["partners"]["rent_free_months"] = 1
        other = content(author=told["author"], document=changed)
        assert refusal(street, sign(other, key_of(1))) == ("PACKAGE_DIFFERS", "file")

    def test_in_the_name_of_a_unit_here(self, street, other_street):
        trust(1)
        author = {"id": str(other_street.pk), "name": other_street.name, "within": []}
        assert refusal(street, package(1, author=author)) == ("AUTHOR_IS_HERE", "file")

    def test_a_file_that_comes_home_is_the_version_it_was_made_of(self, street, other_street):
        with tenant_context(street):
            version = write_chengnan(street)
            published = publish_version(
                actor=system_actor(street), version_id=version.pk, profiles=[]
            )
        with rows_unchanged("public"):
            assert bring(other_street, export(published)) == published

    def test_only_who_publishes_may_bring_one(self, street, actor_as):
        trust(1)
        for role, may in (
            (Role.STREET_ADMINISTRATOR, True),
            (Role.COMMUNITY_SECRETARY, False),
            (Role.AUDITOR, False),
        ):
            actor = actor_as(street, role)
            with tenant_context(street):
                if may:
                    import_package(actor=actor, file=package(1).encode())
                    continue
                with pytest.raises(Forbidden), rows_unchanged("public"):
                    import_package(actor=actor, file=package(1).encode())

    def test_a_sandbox_brings_nothing(self, street, district):
        trust(1)
        Sandbox.objects.create(tenant=street, under=district)
        assert refusal(street, package(1)) == ("SANDBOX_STAYS_INSIDE", None)

    def test_it_is_adopted_like_any_other(self, street):
        trust(1)
        published = bring(street, package(1))
        with tenant_context(street):
            adopt_version(
                actor=system_actor(street),
                published_id=published.pk,
                effective_from=timezone.localdate(),
                values={RATE: "0.02"},
            )
            version = Adoption.objects.get().version
        assert (version.author_name, version.author_id) == ("古城街道", published.origin_author_id)
        assert published.adoptions.get().tenant == street

    def test_a_second_version_came_from_the_first(self, street):
        trust(1)
        first = content()
        changed = chengnan()
        changed["partners"]["rent_free_months"] = 1
        before = {
            "author_id": first["author"]["id"], "key": "gucheng", "number": 1,
            "digest": first["digest"],
        }  # fmt: skip
        unknown = before | {"number": 2, "digest": "0" * 64}
        third = content(
            author=first["author"], number=3, document=changed, derived_from=[unknown, before]
        )
        one = bring(street, sign(first, key_of(1)))
        assert bring(street, sign(third, key_of(1))).derived_from == one

    def test_the_database_upholds_author_or_source(self, street):
        trust(1)
        version = bring(street, package(1))
        with pytest.raises(ProgrammingError), transaction.atomic():
            PackageFile.objects.update(content="x")
        version.pk, version.number, version.author = uuid4(), 2, street
        with (
            pytest.raises(IntegrityError, match="published_author_or_source"),
            transaction.atomic(),
        ):
            version.save(force_insert=True)


def test_two_at_once_are_one(scratch_database):
    trust(1)
    file = package(1).encode()
    street = Tenant.objects.get(slug="chezhan")

    def once(_n):
        with closing(connection):
            return take_in(
                actor=system_actor(street), importer=street, file=file, profiles=["old_estate"]
            )[0].pk

    with ThreadPoolExecutor(4) as threads:
        found = set(threads.map(once, range(4)))

    assert len(found) == 1
    assert PublishedVersion.objects.count() == PackageFile.objects.count() == 1


@pytest.fixture
def elsewhere(scratch_database):
    """Another installation's database, beside the one of the moment."""
    away = copy_of_template(f"{scratch_database.name}_away")
    yield away
    connect_to(scratch_database.name)
    away.drop()


def published_in_dongjie() -> PublishedVersion:
    """By a unit that only this installation has, the second of its model."""
    street = Tenant.objects.create(
        slug="dongjie",
        schema_name="t_dongjie",
        name="东街街道",
        kind=Tenant.Kind.STREET,
        parent=Tenant.objects.get(slug="zhangdian"),
    )
    uploads = [
        add_picture(actor=system_actor(street), tenant=street, content=raw)
        for raw in (told_where(), photo("PNG"))
    ]
    said = [
        {"picture_id": uploads[0].pk, "alt": "食堂", "caption": "每天十一点半"},
        {"picture_id": uploads[1].pk, "alt": "门口", "caption": ""},
    ]
    for number in (1, 2):
        document = chengnan()
        document["partners"]["rent_free_months"] = number
        rules = {"document": document, "bounds": {RATE: {"minimum": "0.01"}}}
        published = publish(
            actor=system_actor(street),
            author=street,
            package=Package(
                key="dongjie",
                number=number,
                title="东街模式",
                **rules,
                digest=digest(rules),
                notes=f"第{number}版",
                profiles=["ageing"],
                case_text="三年，“五十万元”。\n",
                evidence={"communities": {"value": "3.000000", "as_of": "2026-06-30"}},
                evidence_starts_on=date(2025, 7, 1),
                evidence_ends_on=date(2026, 7, 1),
                ran_in={
                    "days": 365,
                    "communities": 5,
                    "profiles": {"ageing": 5},
                    "residents": None,
                    "residents_of": 0,
                },
            ),
            adoptions=[],
            pictures=said if number == 2 else [],
        )
    return published


def test_from_zibo_to_datong_and_adopted_there(settings, scratch_database, elsewhere):
    """Two databases that share nothing, each installation with a key of its own."""
    zibo, datong = key_of(11), key_of(12)
    settings.LINLI_SIGNING_KEY = b64encode(zibo.private_bytes_raw()).decode()
    published = published_in_dongjie()
    file = export(published)
    assert export(PublishedVersion.objects.get(pk=published.pk)) == file

    told = json.loads(file)["content"]
    assert told.keys() == {
        "author", "key", "number", "title", "document", "bounds", "digest", "notes", "profiles",
        "case_text", "evidence", "evidence_starts_on", "evidence_ends_on", "ran_in", "pictures",
        "published_at", "derived_from",
    }  # fmt: skip
    assert told["author"].keys() == {"id", "name", "within"}
    # Nothing but this stands beside a picture, and nothing but pixels in it.
    assert [one.keys() for one in told["pictures"]] == [
        {
            "content_type", "width", "height", "size", "digest", "alt", "caption", "content",
        }
    ] * 2  # fmt: skip
    assert [one["alt"] for one in told["pictures"]] == ["食堂", "门口"]
    assert "Ω".encode() not in b"".join(b64decode(one["content"]) for one in told["pictures"])
    first = published.derived_from
    assert told["derived_from"] == [
        {
            "author_id": str(first.author_id), "key": "dongjie", "number": 1,
            "digest": first.digest,
        }
    ]  # fmt: skip

    connect_to(elsewhere.name)
    settings.LINLI_SIGNING_KEY = b64encode(datong.private_bytes_raw()).decode()
    assert not PublishedVersion.objects.exists()
    wenshao = Tenant.objects.get(slug="wenshao")
    assert refusal(wenshao, file) == ("SOURCE_UNKNOWN", "file")
    add_trusted_source(
        actor=system_actor(None), name="淄博", public_key=public_text(zibo.public_key())
    )
    here = bring(wenshao, file)
    here.refresh_from_db()

    for name in (
        "key", "number", "title", "document", "bounds", "digest", "notes", "profiles", "case_text",
        "evidence", "evidence_starts_on", "evidence_ends_on", "ran_in", "published_at",
    ):  # fmt: skip
        assert getattr(here, name) == getattr(published, name), name
    shown = here.pictures.order_by("position")
    assert [(one.alt, one.caption, one.width, one.content_type) for one in shown] == [
        ("食堂", "每天十一点半", 300, "image/jpeg"), ("门口", "", 300, "image/png"),
    ]  # fmt: skip
    assert all(bytes(one.content) == drawn_anew(bytes(one.content)).content for one in shown[1:])
    assert here.written_by_name == "东街街道"
    assert json.loads(file)["content"]["author"]["within"] == ["张店区", "淄博市"]
    # Passed on it is the same file: a third place believes who made it, not who passed it on.
    assert export(here) == file
    with tenant_context(wenshao):
        adopt_version(
            actor=system_actor(wenshao),
            published_id=here.pk,
            effective_from=timezone.localdate(),
        )
        rules = effective_rules(timezone.localdate())
        assert ModelVersion.objects.get().digest == published.digest
    assert rules.value("partners.rent_free_months") == 2


class TestTheKey:
    def test_production_signs_nothing_without_one(self, db, settings):
        settings.LINLI_SIGNING_KEY, settings.DEVELOPMENT = "", False
        version = published_in_dongjie()
        with pytest.raises(Refused) as caught:
            export(version)
        assert caught.value.code == "SIGNING_KEY_MISSING"
        assert [one.id for one in packages_are_signed()] == ["linli.W004"]

    def test_what_is_no_key_is_told(self, settings):
        settings.LINLI_SIGNING_KEY = "secret"
        assert [one.id for one in packages_are_signed()] == ["linli.E002"]
        with pytest.raises(Refused):
            signing_key()

    def test_pem_and_base64_are_one_key(self, settings):
        key = key_of(4)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        for text in (pem, b64encode(key.private_bytes_raw()).decode()):
            settings.LINLI_SIGNING_KEY = text
            assert public_text(signing_key().public_key()) == public_text(key.public_key())
            assert packages_are_signed() == []

    def test_a_development_machine_has_one_of_its_own_secret(self, settings):
        settings.LINLI_SIGNING_KEY = ""
        found = {}
        for secret in ("one", "another", "one"):
            settings.SECRET_KEY = secret
            found.setdefault(secret, public_text(signing_key().public_key()))
            assert found[secret] == public_text(signing_key().public_key())
        assert len(set(found.values())) == 2


class TestCommands:
    def test_a_file_is_verified_by_its_key(self, tmp_path):
        file, key = tmp_path / "a.linli.json", tmp_path / "key.pem"
        public = key_of(1).public_key()
        file.write_text(package(1))
        key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        for given in (public_text(public), str(key)):
            out = StringIO()
            call_command("verify_package", file, key=given, stdout=out)
            assert out.getvalue().startswith("genuine: gucheng v1 of 古城街道, ")

    @pytest.mark.parametrize(
        ("file", "key", "message"),
        [
            (package(1).replace("第一版", "第二版"), 1, "PACKAGE_TAMPERED"),
            (package(1), 2, "signed by another key"),
            (package(1, digest="0" * 64), 1, "the digest does not"),
            ("{", 1, "PACKAGE_INVALID"),
        ],
    )
    def test_what_is_wrong_is_told(self, tmp_path, file, key, message):
        path = tmp_path / "a.json"
        path.write_text(file)
        with pytest.raises(CommandError, match=message):
            call_command("verify_package", path, key=public_text(key_of(key).public_key()))

    def test_the_own_key_and_a_new_one(self, settings):
        out, new = StringIO(), StringIO()
        call_command("signing_key", stdout=out)
        assert public_text(signing_key().public_key()) in out.getvalue()
        call_command("signing_key", new=True, stdout=new)
        settings.LINLI_SIGNING_KEY = new.getvalue().strip()
        assert public_text(signing_key().public_key()) not in out.getvalue()


class TestByHand:
    """The script in docs/packages.md, which needs nothing of the product."""

    @pytest.mark.parametrize(
        ("file", "seed", "genuine"),
        [
            (package(1), 1, True),
            (json.dumps(json.loads(package(1)), indent=1), 1, True),
            (package(1), 2, False),
            (package(1).replace("第一版", "第二版"), 1, False),
            (package(1, digest="0" * 64), 1, False),
        ],
    )
    def test_a_file_is_verified(self, tmp_path, file, seed, genuine):
        page = (ROOT / "docs/packages.md").read_text()
        script = page.partition("```python\n")[2].partition("```")[0]
        path = tmp_path / "a.linli.json"
        path.write_text(file)
        key = public_text(key_of(seed).public_key())
        done = subprocess.run(
            [sys.executable, "-c", script, path, key], cwd=tmp_path, capture_output=True, text=True
        )
        assert (done.returncode == 0, done.stdout) == (genuine, "genuine\n" if genuine else "")
