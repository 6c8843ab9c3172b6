"""M5: a picture that is handed on holds its pixels and nothing else; without a database."""

import struct
import zlib
from io import BytesIO
from random import Random

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from linli.errors import Refused
from linli.library.packages.bare import is_bare
from linli.library.packages.drawing import draw
from linli.library.pictures import written_anew
from tests.linli.library.packages.test_tampering import read
from tests.support.packages import package, picture

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
WORD = "张三在北纬36度".encode()


def seen(mode="RGB", size=(63, 51)):
    """As uneven as a photograph: with a byte of each kind in it."""
    raw = Random(1).randbytes(size[0] * size[1] * len(mode))
    return Image.frombytes(mode, size, raw)


def saved(form, image=None, **options):
    out = BytesIO()
    (image or seen()).save(out, form, **options)
    return out.getvalue()


def part(kind, inside):
    return (
        struct.pack(">I", len(inside))
        + kind
        + inside
        + struct.pack(">I", zlib.crc32(kind + inside))
    )


def after_head(raw, inserted, at):
    return raw[:at] + inserted + raw[at:]


def extended(flags=0, reserved=b"\0\0\0", *parts):
    """A WebP of the extended form, around the plain one's only part."""
    plain = saved("WEBP")
    inside = bytes([flags]) + reserved + (62).to_bytes(3, "little") + (50).to_bytes(3, "little")
    whole = b"WEBPVP8X" + struct.pack("<I", 10) + inside + plain[12:] + b"".join(parts)
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def exif():
    told = Image.Exif()
    told[0x010F] = "Ω相机"
    return told.tobytes()


def texts():
    told = PngInfo()
    told.add_text("Author", "Zhang San")
    return told


def png(more_lines=b"", behind_the_stream=b""):
    image = seen()
    lines = b"".join(b"\0" + image.tobytes()[line * 189 : line * 189 + 189] for line in range(51))
    head = part(b"IHDR", struct.pack(">IIBBBBB", 63, 51, 8, 2, 0, 0, 0))
    packed = part(b"IDAT", zlib.compress(lines + more_lines) + behind_the_stream)
    return b"\x89PNG\r\n\x1a\n" + head + packed + part(b"IEND", b"")


JPEG, PNG, WEBP = saved("JPEG"), saved("PNG"), saved("WEBP")
COMMENT = b"\xff\xfe" + struct.pack(">H", 2 + len(WORD)) + WORD
CLEAR = seen("RGBA")


@pytest.mark.parametrize("form", TYPES)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_what_is_written_here_is_bare(form, mode):
    if (form, mode) == ("JPEG", "RGBA"):
        raw = saved(form, seen(), quality=97, subsampling=0)
    else:
        raw = saved(form, seen(mode))
    kept = written_anew(raw)
    assert is_bare(bytes(kept.content), kept.content_type)


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        ("JPEG", saved("JPEG", progressive=True)),
        ("JPEG", saved("JPEG", optimize=True, quality=20)),
        ("JPEG", saved("JPEG", restart_marker_blocks=1)),
        ("PNG", saved("PNG", seen().quantize(16))),
        ("PNG", saved("PNG", seen().convert("1"))),
        ("PNG", png()),
        ("WEBP", saved("WEBP", CLEAR, lossless=True)),
        ("WEBP", saved("WEBP", CLEAR, quality=40)),
        ("WEBP", extended()),
    ],
)
def test_so_is_what_others_write_of_pixels(form, raw):
    assert is_bare(raw, TYPES[form])


@pytest.mark.parametrize(
    ("form", "raw"),
    [
        ("JPEG", saved("JPEG", exif=exif())),
        ("JPEG", saved("JPEG", comment=WORD)),
        ("JPEG", saved("JPEG", icc_profile=WORD)),
        ("JPEG", saved("JPEG", xmp=WORD)),
        ("JPEG", JPEG + WORD),
        ("JPEG", JPEG + JPEG),
        ("JPEG", after_head(JPEG, b"\xff\xec" + struct.pack(">H", 2 + len(WORD)) + WORD, 20)),
        ("JPEG", JPEG[:-2] + COMMENT + JPEG[-2:]),
        ("JPEG", JPEG[:2] + b"\xff\xe0\x00\x19JFIF\0\1\1\0\0\1\0\1\1\3" + b"Zhang San" + JPEG[20:]),
        ("JPEG", JPEG[:2] + b"\xff\xe0\x00\x1bJFIF\0\1\1\0\0\1\0\1\0\0" + b"Zhang San13" + JPEG[20:]),
        ("PNG", saved("PNG", pnginfo=texts())),
        ("PNG", saved("PNG", exif=exif())),
        ("PNG", saved("PNG", icc_profile=WORD)),
        ("PNG", saved("PNG", save_all=True, append_images=[seen().rotate(90)])),
        ("PNG", PNG + WORD),
        ("PNG", PNG[:-12] + part(b"IEND", WORD)),
        ("PNG", after_head(PNG, part(b"tIME", bytes(7)), 33)),
        ("PNG", after_head(PNG, part(b"zhSa", WORD), 33)),
        ("PNG", png(behind_the_stream=WORD)),
        ("PNG", png(WORD)),
        ("WEBP", saved("WEBP", exif=exif())),
        ("WEBP", saved("WEBP", xmp=WORD)),
        ("WEBP", saved("WEBP", icc_profile=WORD)),
        ("WEBP", saved("WEBP", save_all=True, append_images=[seen().rotate(90)])),
        ("WEBP", WEBP + WORD),
        ("WEBP", extended(0, b"\0\0\0", b"ZHSA" + struct.pack("<I", 8) + b"ZhangSan")),
        ("WEBP", extended(0, b"ZS1")),
        ("WEBP", extended(8)),
        ("WEBP", extended(0, b"\0\0\0", b"EXIF" + struct.pack("<I", 4) + b"MM\0*")),
    ],
)  # fmt: skip
def test_whatever_holds_more_is_not(form, raw):
    Image.open(BytesIO(raw)).load()  # it is a picture all the same
    assert not is_bare(raw, TYPES[form])


def test_it_is_told_which_and_what_would_be_right():
    content = read(package(1, pictures=[
        picture(saved("JPEG"), width=63, height=51),
        picture(saved("JPEG", exif=exif()), width=63, height=51),
    ]))  # fmt: skip
    with pytest.raises(Refused) as caught:
        draw(content)
    assert (caught.value.code, caught.value.field) == (
        "PICTURE_NOT_BARE",
        "content.pictures.1.content",
    )
    assert "2" in str(caught.value.message)
