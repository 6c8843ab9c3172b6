"""M5: what was signed is what is read, and nothing else is; without a database."""

import json
from base64 import b64encode
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from linli.errors import Refused
from linli.library.document import canonical
from linli.library.models import PACKAGE_BYTES
from linli.library.packages.drawing import draw
from linli.library.packages.reading import open_package, read_content
from linli.library.signing import fingerprint, parse_public, public_text
from tests.linli.library.test_pictures import claims
from tests.support.packages import RATE, content, key_of, package, picture, pixels

KEY = key_of(1).public_key()
FILE = package(1)
RAW = FILE.encode()
PROFILES = ["old_estate"]


def read(file):
    opened = open_package(file if isinstance(file, bytes) else file.encode())
    if opened.signature.fingerprint != fingerprint(KEY):
        raise Refused("SOURCE_UNKNOWN", "")
    opened.verify(KEY)
    return read_content(opened, profiles=PROFILES)


def refusal(file):
    with pytest.raises(Refused) as caught:
        read(file)
    return caught.value


def codes(file):
    return {(one.code, one.field) for one in refusal(file).faults}


def test_what_was_signed_is_read():
    found = read(FILE)

    assert (found.key, found.number, found.author.name) == ("gucheng", 1, "古城街道")
    assert found.document == json.loads(FILE)["content"]["document"]


def test_a_file_that_was_set_anew_holds_the_same():
    assert read(json.dumps(json.loads(FILE), indent=2) + "\n") == read(FILE)


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_no_byte_can_be_changed(at, mask):
    changed = RAW[:at] + bytes([RAW[at] ^ mask]) + RAW[at + 1 :]
    try:
        text = changed.decode()
    except UnicodeDecodeError:
        return  # no request carries it

    assert refusal(text).code in {
        "PACKAGE_TAMPERED", "PACKAGE_INVALID", "PACKAGE_TOO_NEW", "SOURCE_UNKNOWN",
    }  # fmt: skip


def test_no_bit_of_any_byte_can_be_changed():
    """All of them, at the places where the forms are loosest: the signature and what frames it."""
    for at in range(RAW.index(b'"format"'), len(RAW)):
        for bit in range(7):
            changed = RAW[:at] + bytes([RAW[at] ^ 1 << bit]) + RAW[at + 1 :]
            assert refusal(changed.decode()).code.startswith(("PACKAGE_", "SOURCE_"))


@given(st.integers(0, len(FILE) - 1), st.integers(1, 20))
def test_nothing_can_be_cut_out(at, length):
    assert refusal(FILE[:at] + FILE[at + length :]).code.startswith(("PACKAGE_", "SOURCE_"))


def _places(value, path=()):
    yield path
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for step, inner in items:
        yield from _places(inner, (*path, step))


PLACES = [path for path in _places(json.loads(FILE)) if path]
OTHER = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | st.just([]) | st.just({})
)


@given(st.sampled_from(PLACES), OTHER)
def test_no_field_can_be_changed(path, value):
    changed = json.loads(FILE)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    if canonical(inside[path[-1]]) == canonical(value):
        return
    inside[path[-1]] = value

    assert refusal(canonical(changed)).code in {
        "PACKAGE_TAMPERED", "PACKAGE_INVALID", "PACKAGE_TOO_NEW", "SOURCE_UNKNOWN",
    }  # fmt: skip


@given(st.sampled_from(PLACES))
def test_no_field_can_be_left_out_or_doubled(path):
    changed = json.loads(FILE)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    assert refusal(canonical(changed)).code in {"PACKAGE_TAMPERED", "PACKAGE_INVALID"}


def test_a_name_that_stands_twice_is_refused():
    doubled = FILE.replace('"format":', '"format":"linli-package","format":', 1)

    assert refusal(doubled).code == "PACKAGE_INVALID"


def test_another_key_is_not_believed():
    opened = open_package(package(2).encode())
    with pytest.raises(Refused) as caught:
        opened.verify(KEY)
    assert caught.value.code == "PACKAGE_TAMPERED"


def test_what_is_newer_than_this_installation_says_so():
    newer = json.loads(FILE) | {"format_version": 2, "more": 1}

    refused = refusal(canonical(newer))

    assert (refused.code, refused.field, refused.data) == (
        "PACKAGE_TOO_NEW", "format_version", {"known": 1},
    )  # fmt: skip


@pytest.mark.parametrize(
    "file",
    [
        "",
        "[]",
        "{}",
        "null",
        '"a"',
        "1e999",
        "NaN",
        '{"format":"linli-package"}',
        "[" * 100_000,
        '{"a":"\\ud800"}',
        "\ufeff{}",
    ],
)
def test_what_is_no_package_is_told(file):
    assert refusal(file).code == "PACKAGE_INVALID"


def test_what_is_too_large_is_not_read():
    assert refusal("文" * (PACKAGE_BYTES // 3 + 1)).code == "PACKAGE_TOO_LARGE"
    assert refusal("a" * (PACKAGE_BYTES + 1)).code == "PACKAGE_TOO_LARGE"
    assert refusal("a" * PACKAGE_BYTES).code == "PACKAGE_INVALID"


class TestSignedAndYetRefused:
    """By one who is believed and errs, or whose system is another."""

    def test_a_digest_of_something_else(self):
        assert codes(package(1, digest="0" * 64)) == {("PACKAGE_DIGEST", "content.digest")}

    def test_a_document_with_faults_names_each(self):
        document = content()["document"]
        document["partners"]["rent_free_months"] = "18"
        document["meetings"]["joint"]["day_of_month"] = 32
        found = codes(package(1, document=document))
        assert found == {
            ("DOCUMENT_INVALID", "partners.rent_free_months"),
            ("DOCUMENT_INVALID", "meetings.joint.day_of_month"),
        }

    def test_bounds_that_its_own_document_breaks(self):
        bounds = {RATE: {"maximum": "0.01"}}
        assert codes(package(1, bounds=bounds)) == {("OUTSIDE_BOUNDS", RATE)}

    def test_a_bound_that_is_none(self):
        bounds = {RATE: {"most": "0.01"}}
        assert codes(package(1, bounds=bounds)) == {("BOUND_INVALID", RATE)}

    @pytest.mark.parametrize(
        ("more", "places"),
        [
            ({"profiles": ["nowhere"]}, {"content.profiles"}),
            ({"profiles": ["old_estate"] * 2}, {"content.profiles"}),
            ({"title": " "}, {"content.title"}),
            ({"title": "长" * 201, "number": 0}, {"content.title", "content.number"}),
            ({"number": "1"}, {"content.number"}),
            ({"key": "Gu Cheng"}, {"content.key"}),
            ({"published_at": "yesterday"}, {"content.published_at"}),
            ({"published_at": "2026-07-01T00:00:00"}, {"content.published_at"}),
            ({"case_text": "长" * 10_001}, {"content.case_text"}),
            ({"pictures": [picture()] * 21}, {"content.pictures"}),
            ({"pictures": ["aaaa"]}, {"content.pictures.0"}),
            ({"pictures": [picture(), picture(photographer="王芳", alt=1)]}, {"content.pictures.1.photographer", "content.pictures.1.alt"}),
            ({"partners": ["王芳"]}, {"content.partners"}),
            ({"evidence": {"communities": {"value": "3", "as_of": "2026-02-30"}}}, {"content.evidence.communities.as_of"}),
            ({"evidence": {"communities": {"value": 3, "as_of": "2026-02-20"}}}, {"content.evidence.communities.value"}),
            ({"author": {"id": "1", "name": "古城", "within": []}}, {"content.author.id"}),
            ({"author": {"id": "0190d0a0-0000-7000-8000-000000000000", "name": "古城", "within": [], "phone": "138"}}, {"content.author.phone"}),
        ],
    )  # fmt: skip
    def test_what_a_package_has_not(self, more, places):
        assert codes(package(1, **more)) == {("PACKAGE_INVALID", place) for place in places}


JPEG, SVG = pixels(), b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'
BOMB, CUT = claims(10_000, 10_000), JPEG[:400]
OF_PNG = {"content_type": "image/png"}
# Of these bytes too, and not as anybody writes them: the last six bits say two and are read as none.
LOOSE = b64encode(JPEG + b"\0").decode().replace("AA==", "AC==")


class TestPictures:
    """Of a file that is signed: what a picture says of itself is held to its bytes, and these are drawn anew."""

    def test_it_is_drawn_anew(self):
        [first, second] = draw(read(package(1, pictures=[picture(JPEG), picture()])))

        assert (first.position, first.alt, first.caption) == (0, "食堂的门口", "每天开门")
        assert (first.content_type, first.width, first.height) == ("image/jpeg", 30, 20)
        assert first.original == JPEG != first.content
        assert (first.size, first.digest) == (len(first.content), sha256(first.content).hexdigest())
        assert second.position == 1

    @pytest.mark.parametrize(
        ("given", "place"),
        [
            (picture(content="文" * 4), "content"),
            (picture(content=b64encode(JPEG).decode() + "\n"), "content"),
            (picture(content=b64encode(JPEG + b"x").decode().replace("=", "", 1)), "content"),
            (picture(JPEG + b"\0", content=LOOSE), "content"),
            (picture(content=b64encode(JPEG[:-1] + b"x").decode()), "digest"),
            (picture(digest=sha256(b"").hexdigest()), "digest"),
            (picture(size=len(JPEG) - 1), "size"),
            (picture(content=b64encode(JPEG + b"x").decode()), "size"),
            (picture(width=31), "width"),
            (picture(height=21), "height"),
            (picture(content_type="image/png"), "content_type"),
            (picture(pixels("PNG")), "content_type"),
            (picture(SVG), "content"),
            (picture(pixels("GIF")), "content"),
            (picture(CUT), "content"),
            (picture(claims(100, 100), width=100, height=100, **OF_PNG), "content"),
            (picture(BOMB, width=2_000, height=2_000, **OF_PNG), "width"),
            (picture(claims(2**31 - 1, 2**31 - 1), **OF_PNG), "content"),
            (picture(b"\x89PNG", **OF_PNG), "content"),
        ],
    )  # fmt: skip
    def test_what_is_not_what_it_says(self, given, place):
        with pytest.raises(Refused) as caught:
            draw(read(package(1, pictures=[picture(), picture(), given])))
        assert [(one.code, one.field) for one in caught.value.faults] == [
            ("PACKAGE_INVALID", f"content.pictures.2.{place}")
        ]

    @pytest.mark.parametrize(
        ("more", "place"),
        [
            ({"content_type": "image/svg+xml"}, "content_type"),
            ({"width": 0}, "width"),
            ({"width": 2_001}, "width"),
            ({"height": 10_000}, "height"),
            ({"height": "20"}, "height"),
            ({"size": 0}, "size"),
            ({"size": PACKAGE_BYTES + 1}, "size"),
            ({"digest": "0" * 63}, "digest"),
            ({"digest": "G" * 64}, "digest"),
            ({"alt": "长" * 201}, "alt"),
            ({"alt": None}, "alt"),
            ({"caption": "长" * 501}, "caption"),
            ({"content": None}, "content"),
            ({"content": [0, 1]}, "content"),
        ],
    )
    def test_what_a_picture_has_not(self, more, place):
        file = package(1, pictures=[picture(), picture(**more)])
        assert codes(file) == {("PACKAGE_INVALID", f"content.pictures.1.{place}")}

    @pytest.mark.parametrize("alt", ["", "  ", "\u200b"])
    def test_each_says_what_it_shows(self, alt):
        file = package(1, pictures=[picture(), picture(alt=alt)])
        assert codes(file) == {("ALT_MISSING", "content.pictures.1.alt")}

    def test_a_bomb_is_told_by_its_head(self, monkeypatch):
        """It may say in the package what it wants: nothing larger than a kept picture is decoded."""
        monkeypatch.setattr("linli.library.packages.drawing.drawn_anew", None)
        for width, height in ((2_000, 2_000), (10, 10)):
            content = read(
                package(1, pictures=[picture(BOMB, width=width, height=height, **OF_PNG)])
            )
            with pytest.raises(Refused) as caught:
                draw(content)
            assert caught.value.field == "content.pictures.0.width"

    @given(st.integers(0, len(JPEG) - 1), st.integers(1, 255))
    def test_no_byte_of_one_can_be_changed(self, at, mask):
        """By whoever signs it, without the digest."""
        changed = JPEG[:at] + bytes([JPEG[at] ^ mask]) + JPEG[at + 1 :]
        file = package(1, pictures=[picture(content=b64encode(changed).decode())])
        assert codes(file) == {("PACKAGE_INVALID", "content.pictures.0.digest")}

    @settings(max_examples=300)
    @given(st.binary(max_size=300), st.integers(0, len(JPEG)), st.booleans())
    def test_whatever_the_bytes_are_it_is_drawn_or_refused(self, junk, at, cut):
        raw = JPEG[:at] + junk + (b"" if cut else JPEG[at:]) or b"x"
        content, made, field = read(package(1, pictures=[picture(raw)])), None, ""
        try:
            [made] = draw(content)
        except Refused as refused:
            field = refused.field
        if made is None:
            assert field.startswith("content.pictures.0.")
        else:
            assert Image.open(BytesIO(made.content)).size == (made.width, made.height)


class TestKeys:
    def test_base64_and_pem_are_one_key(self):
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        pem = KEY.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        assert {fingerprint(parse_public(text)) for text in (public_text(KEY), pem)} == {
            fingerprint(KEY)
        }

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "abc",
            b64encode(bytes(31)).decode(),
            "-----BEGIN PUBLIC KEY-----",
            "钥匙",
            "A" * 10_000,
        ],
    )
    def test_what_is_none_is_refused(self, text):
        with pytest.raises(Refused) as caught:
            parse_public(text, field="publicKey")
        assert (caught.value.code, caught.value.field) == ("PUBLIC_KEY_INVALID", "publicKey")
