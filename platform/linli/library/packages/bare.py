"""Whether a picture's file holds its pixels and nothing else, told from its structure.

The bytes of a picture in a package are signed, so they are handed on as they came. What a camera or a
person left in them (EXIF, a place, comments, a smaller picture, bytes behind the end) would travel with
them. Nothing that this installation writes of pixels has any of it. What somebody hides among the coded
pixels themselves is part of what they sign.
"""

import re
import zlib
from struct import unpack

# JPEG: the tables of quantization and of Huffman codes, the frame, and after how many units it restarts.
_JPEG_PARTS = frozenset({0xDB, 0xC4, 0xC0, 0xC1, 0xC2, 0xDD})
# "JFIF", its version and how dense the dots are, and no smaller picture.
_JFIF = re.compile(rb"JFIF\0\x01.[\0\x01\x02]....\0\0", re.DOTALL)
_JFIF_MARKER, _SCAN, _END = 0xE0, 0xDA, 0xD9
# What ends a scan: in it, FF is followed by 00 or by one of the eight marks from which it restarts.
_AFTER_SCAN = re.compile(rb"\xff[^\0\xd0-\xd7]", re.DOTALL)

_PNG_HEAD, _PNG_PARTS = b"\x89PNG\r\n\x1a\n", {b"PLTE", b"tRNS"}
# By its type of colour: grey, RGB, one of a palette, and the first two with how clear they are.
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

# WebP: one picture, how clear it is, and the head of an extended form that may say no more than that.
_WEBP_PICTURES, _WEBP_AROUND = ([b"VP8 "], [b"VP8L"]), {b"VP8X", b"ALPH"}
_WEBP_ALPHA = 0x10


def is_bare(content: bytes, content_type: str) -> bool:
    """Of a file that could be decoded as the type it says."""
    return _BARE[content_type](content)


def _is_bare_jpeg(content: bytes) -> bool:
    at = 2
    while content[at : at + 1] == b"\xff":
        marker = content[at + 1] if at + 1 < len(content) else _END
        if marker == _END:
            return at + 2 == len(content)
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _JFIF_MARKER:
            if not _JFIF.fullmatch(content, at + 4, end):
                return False
        elif marker not in _JPEG_PARTS | {_SCAN}:
            return False
        at = end
        if marker == _SCAN and (after := _AFTER_SCAN.search(content, at)):
            at = after.start()
    return False


def _is_bare_png(content: bytes) -> bool:
    at = len(_PNG_HEAD)
    head, packed = b"", bytearray()  # which grows in place: there may be very many parts
    while at < len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        inside, at = content[at + 8 : at + 8 + length], at + 12 + length
        if kind == b"IHDR":
            head = inside
        elif kind == b"IDAT":
            packed += inside
        elif kind == b"IEND":
            return not inside and at == len(content) and _is_all_lines(head, packed)
        elif kind not in _PNG_PARTS:
            return False
    return False


def _is_all_lines(head: bytes, packed: bytearray) -> bool:
    """Whether what is packed holds each line once and nothing behind them, as it does not in several passes."""
    width, height, depth, colour = unpack(">IIBB", head[:10])
    # A byte before each line says how it is told from the one above.
    size = height * (1 + (width * depth * _PNG_CHANNELS[colour] + 7) // 8)
    unpacking = zlib.decompressobj()
    lines = unpacking.decompress(packed, size + 1)
    return len(lines) == size and not unpacking.unused_data


def _is_bare_webp(content: bytes) -> bool:
    kinds = []
    at = 12
    while at < len(content):
        kind, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        if kind == b"VP8X" and (content[at + 8] & ~_WEBP_ALPHA or any(content[at + 9 : at + 12])):
            return False
        kinds.append(kind)
        at += 8 + length + length % 2
    return [kind for kind in kinds if kind not in _WEBP_AROUND] in _WEBP_PICTURES


_BARE = {"image/jpeg": _is_bare_jpeg, "image/png": _is_bare_png, "image/webp": _is_bare_webp}
