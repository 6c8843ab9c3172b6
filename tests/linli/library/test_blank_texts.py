"""M1: a text in a document has something to see."""

import pytest

from linli.errors import Refused
from linli.library.document import parse_document
from tests.support.models import chengnan


@pytest.mark.parametrize("blank", [" ", "\u200b", "\u3000 \u2060"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_one_without_is_refused_at_its_path(blank, language):
    document = chengnan()
    kind = document["partners"]["kinds"][0]
    kind["title"] = {"zh": "企业", "en": "Firm"} | {language: blank}
    with pytest.raises(Refused) as refused:
        parse_document(document)
    [fault] = refused.value.faults
    where = f"partners.kinds[{kind['key']}].title.{language}"
    assert (fault.code, fault.field) == ("DOCUMENT_INVALID", where)
