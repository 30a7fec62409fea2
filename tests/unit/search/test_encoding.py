"""From texts to vectors and back: order is kept, memory is bounded, and a file's vectors are those of the encoder."""

import pytest
import torch

from optical.corpora.files import read_queries
from optical.errors import DataError
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.search.encoding import encode_documents, encode_queries
from optical.search.vectors import Collection, TokenVectors
from optical.text.tokeniser import tokenise
from support.tiny_models import save_encoder

QUERIES = [
    "where is the moon",
    "sun",
    "",
    "the first question about the river in the north, the moon",
    "mto uko wapi?",
]
DOCUMENTS = [
    {"id": "a", "text": "the river is in the north!", "title": "River"},
    {"id": "b", "text": "moon"},
    {"id": "c", "text": "?!", "title": ""},
    {"id": "d", "text": "the first question " * 20},
    {"id": "e", "text": "मध्ये चंद्र"},
]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_encoder(save_encoder(tmp_path_factory.mktemp("encoder")))


def vectors_of(encoder, text, kind):
    [(_, vectors_LD, _)] = encoder.encode(list(tokenise(encoder.tokeniser, [text])), kind)
    return vectors_LD


def test_queries_come_back_in_their_order(encoder):
    vectors_QMD, mask_QM = encode_queries(encoder, QUERIES)
    assert vectors_QMD.shape == (len(QUERIES), 12, encoder.dimension)
    assert vectors_QMD.dtype == torch.float32
    for number, text in enumerate(QUERIES):
        expected_MD = vectors_of(encoder, text, QUERY)
        assert int(mask_QM[number].sum()) == len(expected_MD)
        assert torch.allclose(vectors_QMD[number][mask_QM[number]], expected_MD, atol=1e-5)
        assert not vectors_QMD[number][~mask_QM[number]].any()
    assert [len(part) for part in encode_queries(encoder, [])] == [0, 0]


def test_documents_are_found_by_place_and_id(encoder, tmp_path):
    assert encode_documents(encoder, iter(DOCUMENTS), DOCUMENT, tmp_path / "shard") == len(DOCUMENTS)
    shard = TokenVectors.open(tmp_path / "shard")
    names = list(shard.ids())
    assert [names[stored] for stored in shard.order.argsort()] == ["a", "b", "c", "d", "e"]
    for stored, place in enumerate(shard.order.tolist()):
        document = DOCUMENTS[place]
        expected_LD = vectors_of(encoder, f"{document.get('title', '')} {document['text']}", DOCUMENT)
        assert torch.allclose(torch.from_numpy(shard.document(stored)).float(), expected_LD, atol=1e-3)


def test_a_title_is_part_of_the_text(encoder, tmp_path):
    encode_documents(encoder, DOCUMENTS[:1], DOCUMENT, tmp_path / "with")
    encode_documents(encoder, [{"id": "a", "text": DOCUMENTS[0]["text"]}], DOCUMENT, tmp_path / "without")
    assert TokenVectors.open(tmp_path / "with").tokens == TokenVectors.open(tmp_path / "without").tokens + 1


def test_documents_are_read_in_pieces(encoder, tmp_path, monkeypatch):
    encode_documents(encoder, DOCUMENTS, DOCUMENT, tmp_path / "whole")
    monkeypatch.setattr("optical.search.encoding.SORTED_AT_ONCE", 2)
    monkeypatch.setattr("optical.search.encoding.WRITTEN_AT_ONCE", 1)
    encode_documents(encoder, iter(DOCUMENTS), DOCUMENT, tmp_path / "pieces")
    whole, pieces = TokenVectors.open(tmp_path / "whole"), TokenVectors.open(tmp_path / "pieces")
    for stored, place in enumerate(pieces.order.tolist()):
        other = whole.order.tolist().index(place)
        assert list(whole.ids())[other] == list(pieces.ids())[stored]
        difference = torch.from_numpy(whole.document(other) - pieces.document(stored)).abs()
        assert difference.max() < 2e-3


def test_shards_of_two_encoders_are_not_one_collection(encoder, tmp_path):
    for made_by in ("one", "another"):
        encode_documents(encoder, DOCUMENTS, DOCUMENT, tmp_path / made_by, made_by=made_by)
    with pytest.raises(DataError, match="different encoders"):
        Collection([tmp_path / "one", tmp_path / "another"])


def test_a_failure_leaves_no_shard(encoder, tmp_path):
    def documents():
        yield DOCUMENTS[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        encode_documents(encoder, documents(), DOCUMENT, tmp_path / "shard")
    assert list(tmp_path.iterdir()) == []


def test_queries_are_read_as_id_and_text(tmp_path):
    (tmp_path / "queries.tsv").write_text("q1\twhere is the moon\n\nq2\tsun\n")
    assert list(read_queries(tmp_path / "queries.tsv")) == [("q1", "where is the moon"), ("q2", "sun")]
