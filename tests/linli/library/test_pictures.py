"""M4: a case's pictures: decoded and written anew, shown to whoever may see the version."""

import struct
import zlib
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from io import BytesIO

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone
from PIL import Image

from linli.accounts.policy import Role, system_actor
from linli.audit.models import Entry
from linli.errors import Forbidden, NotFound, Refused
from linli.ids import uuid7
from linli.library import pictures
from linli.library.jobs import sweep_pictures
from linli.library.models import Picture, PublishedVersion, Upload
from linli.library.pictures import add_picture, written_anew
from linli.tenancy.context import tenant_context
from tenants.operating_model.actions import publish_version
from tests.support.models import write_chengnan
from tests.support.rows import rows_unchanged


def picture(form="JPEG", size=(300, 200), mode="RGB", **options):
    out = BytesIO()
    colour = (200, 30, 30, 90)[: len(Image.new(mode, (1, 1)).getbands())]
    Image.new(mode, size, colour).save(out, form, **options)
    return out.getvalue()


def told_where():
    """A photograph with a place, a camera and a time in it."""
    exif = Image.Exif()
    exif[0x010F], exif[0x9003] = "Ω相机", "2026:01:31 12:00:00"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (36.0, 48.0, 0.0)
    return picture(exif=exif.tobytes(), comment="Ω张三".encode())


@pytest.mark.parametrize(
    ("form", "mode", "content_type"),
    [
        ("JPEG", "RGB", "image/jpeg"), ("JPEG", "L", "image/jpeg"), ("JPEG", "CMYK", "image/jpeg"),
        ("PNG", "RGBA", "image/png"), ("PNG", "RGB", "image/png"), ("WEBP", "RGB", "image/webp"),
        ("WEBP", "RGBA", "image/webp"),
    ],
)  # fmt: skip
def test_it_is_kept_as_what_it_is(form, mode, content_type):
    kept = written_anew(picture(form, mode=mode))

    assert (kept.content_type, kept.width, kept.height) == (content_type, 300, 200)
    assert (kept.size, kept.digest) == (len(kept.content), sha256(kept.content).hexdigest())
    read = Image.open(BytesIO(kept.content))
    assert read.format == form
    assert ("A" in read.getbands()) == (mode == "RGBA")


def test_nothing_but_what_is_seen_is_kept():
    content = told_where() + b"\n<script>behind its end</script>"
    assert b"script" in content
    assert Image.open(BytesIO(content)).getexif()

    kept = written_anew(content)

    read = Image.open(BytesIO(kept.content))
    assert dict(read.getexif()) == {}
    assert not {"exif", "comment", "icc_profile", "xmp"} & read.info.keys()
    for word in (b"script", "Ω".encode(), b"Exif"):
        assert word not in kept.content


def test_texts_of_a_png_are_not_kept():
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", "Ω张三")
    assert b"tEXt" not in written_anew(picture("PNG", pnginfo=info)).content


def test_it_is_turned_upright_and_made_no_longer_than_2000_pixels():
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    kept = written_anew(picture(size=(4000, 1000), exif=exif.tobytes()))
    assert (kept.width, kept.height) == (500, 2000)


def claims(width, height):
    """A PNG of a few bytes that says it is very large."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data).to_bytes(4, "big")
        return len(data).to_bytes(4, "big") + kind + data + checksum

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    head = chunk(b"IHDR", size + b"\x08\x06\x00\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (claims(10_000, 4_001), "PICTURE_TOO_LARGE"),
        (claims(2**31 - 1, 2**31 - 1), "PICTURE_TOO_LARGE"),
        (b"\0" * (pictures.MOST_BYTES + 1), "PICTURE_TOO_LARGE"),
        (claims(100, 100), "PICTURE_UNREADABLE"),
        (picture()[:500], "PICTURE_UNREADABLE"),
        (picture("PNG")[:-40], "PICTURE_UNREADABLE"),
        (picture("GIF", mode="P"), "PICTURE_UNREADABLE"),
        (picture("BMP"), "PICTURE_UNREADABLE"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "PICTURE_UNREADABLE"),
        (b"", "PICTURE_UNREADABLE"),
    ],
    ids=["large", "vast", "heavy", "empty", "cut", "cut png", "gif", "bmp", "svg", "nothing"],
)
def test_what_is_none_is_refused(content, code):
    with pytest.raises(Refused) as refused:
        written_anew(content)
    assert refused.value.code == code


def scans(count):
    """A progressive JPEG that is drawn over and over again."""
    content = picture(progressive=True)
    last = content.rindex(b"\xff\xda")
    more = count - content.count(b"\xff\xda")
    return content[:last] + content[last:-2] * (more + 1) + b"\xff\xd9"


def test_a_jpeg_of_thousands_of_scans_is_not_drawn():
    assert scans(pictures.MOST_SCANS).count(b"\xff\xda") == pictures.MOST_SCANS
    written_anew(scans(pictures.MOST_SCANS))
    for count in (pictures.MOST_SCANS + 1, 5_000):
        with pytest.raises(Refused) as refused:
            written_anew(scans(count))
        assert refused.value.code == "PICTURE_UNREADABLE"


def test_what_stands_in_exif_or_behind_the_end_is_no_scan():
    noise = b"\xff\xda" * 30
    written_anew(picture(exif=b"Exif\0\0" + noise) + noise)


def test_the_first_picture_of_several_is_kept():
    out = BytesIO()
    first, second = Image.new("RGB", (30, 20)), Image.new("RGB", (40, 20))
    first.save(out, "MPO", save_all=True, append_images=[second])

    kept = written_anew(out.getvalue())

    assert (kept.content_type, kept.width) == ("image/jpeg", 30)


def exif_of(kind, count, value):
    """EXIF with one entry, the orientation, of a kind that it cannot be."""
    entry = b"\x01\x12" + kind.to_bytes(2, "big") + count.to_bytes(4, "big") + value
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("error", [struct.error("x"), TypeError("x"), AttributeError("x")])
def test_whatever_a_decoder_stumbles_over_is_refused(monkeypatch, form, error):
    content = picture(form)

    def stumble(_picture):
        raise error

    monkeypatch.setattr(pictures.ImageOps, "exif_transpose", stumble)
    with pytest.raises(Refused) as refused:
        written_anew(content)
    assert refused.value.code == "PICTURE_UNREADABLE"


def test_broken_exif_is_refused_or_left_behind():
    for kind in range(14):
        for count in (0, 1, 2, 2**31):
            content = picture(exif=exif_of(kind, count, b"\xff\xff\xff\xff"))
            with suppress(Refused):
                assert written_anew(content).width == 300


def test_greys_of_sixteen_bits_stay_greys():
    shades = Image.new("I;16", (4, 1))
    shades.putdata([0, 257, 20_046, 65_535])
    out = BytesIO()
    shades.save(out, "PNG")

    kept = Image.open(BytesIO(written_anew(out.getvalue()).content))

    assert [grey for grey, _, _ in kept.get_flattened_data()] == [0, 1, 78, 255]


def add(tenant, content=None):
    return add_picture(actor=system_actor(tenant), tenant=tenant, content=content or picture())


def publish(tenant, *pictures):
    with tenant_context(tenant):
        return publish_version(
            actor=system_actor(tenant),
            version_id=write_chengnan(tenant).pk,
            profiles=[],
            pictures=pictures,
        )


def said(upload, alt="老年食堂的午餐", caption="每天十一点半"):
    return {"picture_id": getattr(upload, "pk", upload), "alt": alt, "caption": caption}


def test_it_goes_with_the_version_it_is_published_with(street):
    first, second = add(street), add(street, picture("PNG"))

    version = publish(street, said(second, " 门口 ", ""), said(first))

    told = version.pictures.order_by("position").values_list("id", "alt", "caption", "content_type")
    assert list(told) == [
        (second.pk, "门口", "", "image/png"),
        (first.pk, "老年食堂的午餐", "每天十一点半", "image/jpeg"),
    ]
    assert bytes(Picture.objects.get(pk=first.pk).content) == first.content
    assert Upload.objects.count() == 0
    [entry] = Entry.objects.filter(action="library.add_picture", object_id=str(first.pk))
    assert entry.after["digest"] == first.digest
    assert "content" not in entry.after


def test_a_published_picture_stays_as_it_is(street):
    publish(street, said(add(street)))
    for change in (lambda: Picture.objects.update(alt="x"), Picture.objects.all().delete):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        (lambda u: [said(u), said(u)], "PICTURE_TWICE", "pictures.1.pictureId"),
        (lambda u: [said(u, alt=" ")], "ALT_MISSING", "pictures.0.alt"),
        (lambda u: [said(u, alt="长" * 201)], "ALT_INVALID", "pictures.0.alt"),
        (lambda u: [said(u, caption="电话 138 0013 8000")], "PERSONAL_DATA", "pictures.0.caption"),
        (lambda u: [said(uuid7())], "NOT_FOUND", "pictures.0.pictureId"),
        (lambda u: [said(uuid7()) for _ in range(21)], "TOO_MANY_PICTURES", "pictures"),
    ],
)
def test_what_is_refused_publishes_nothing(street, given, code, field):
    upload = add(street)
    with pytest.raises(Refused) as refused:
        publish(street, *given(upload))
    assert [(fault.code, fault.field) for fault in refused.value.faults] == [(code, field)]
    assert PublishedVersion.objects.count() == Picture.objects.count() == 0
    assert Upload.objects.get() == upload


def test_another_units_upload_does_not_exist(street, other_street):
    upload = add(other_street)
    with pytest.raises(NotFound):
        publish(street, said(upload))
    assert Upload.objects.get().tenant == other_street


def test_only_who_may_publish_adds_one(street, actor_as):
    auditor = actor_as(street, Role.AUDITOR)
    with rows_unchanged(), pytest.raises(Forbidden):
        add_picture(actor=auditor, tenant=street, content=picture())


def test_so_many_wait_and_no_more(street, monkeypatch):
    monkeypatch.setattr(pictures, "MOST_WAITING", 2)
    add(street)
    add(street)
    with rows_unchanged(), pytest.raises(Refused) as refused:
        add(street)
    assert refused.value.code == "TOO_MANY_PICTURES"


def test_what_nobody_publishes_is_gone_after_a_day(street):
    old, young = add(street), add(street)
    for upload, hours in ((old, 24.1), (young, 23.9)):
        when = timezone.now() - timedelta(hours=hours)
        Upload.objects.filter(pk=upload.pk).update(uploaded_at=when)

    sweep_pictures(timestamp=0)

    assert Upload.objects.get() == young
