"""The texts of encoded passages."""

import json

import pytest

from optical.errors import DataError
from optical.search.passages import Passages


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_documents_are_found_by_ids_of_any_signs(tmp_path, ensure_ascii):
    documents = {name: {"id": name, "text": name} for name in ('a"b', "c\\d", "\\", '"', "é\x7f\x01", "plain")}
    lines = [json.dumps(document, ensure_ascii=ensure_ascii) for document in documents.values()]
    (tmp_path / "documents.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert Passages([tmp_path / "documents.jsonl"], [], None).read(set(documents)) == documents
    for name in documents:
        assert Passages([tmp_path / "documents.jsonl"], [], None).read({name}) == {name: documents[name]}


def test_a_passage_without_a_text_is_named(tmp_path):
    (tmp_path / "documents.jsonl").write_text('{"id": "a", "text": "a"}\n', encoding="utf-8")
    with pytest.raises(DataError, match="no document b"):
        Passages([tmp_path / "documents.jsonl"], [], None).read({"a", "b"})
