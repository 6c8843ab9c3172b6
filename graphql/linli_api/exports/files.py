"""Where an export's parts lie: in the storage ``exports``, a folder for each tenant and export."""

from collections.abc import Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

from linli.ids import uuid7
from linli.tenancy.context import current_schema
from linli_api.exports.models import Export

CHUNK = 64 * 1024


def keep(export: Export, content: bytes) -> str:
    """Write a part; the name it is found under. No two parts share one, whoever writes them."""
    return _storage().save(f"{_folder(export)}/{uuid7()}", ContentFile(content))


def drop(export: Export, name: str) -> None:
    _storage().delete(name)


def drop_all(export: Export) -> None:
    """Every part, those among them that nobody came to name."""
    folder = _folder(export)
    if _storage().exists(folder):
        for name in _storage().listdir(folder)[1]:
            _storage().delete(f"{folder}/{name}")
        _storage().delete(folder)


def read(export: Export) -> Iterator[bytes]:
    for name in export.parts:
        with _storage().open(name) as part:
            yield from part.chunks(CHUNK)


def _storage() -> Storage:
    return storages["exports"]


def _folder(export: Export) -> str:
    return f"{current_schema()}/{export.pk}"
