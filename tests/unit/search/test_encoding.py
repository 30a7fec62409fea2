"""From texts to vectors and back: order is kept, memory is bounded, and a file's vectors are those of the encoder."""

import random
from types import SimpleNamespace

import pytest
import torch

from optical.corpora.files import read_queries
from optical.errors import DataError
from optical.files import write_jsonl
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.search.encoding import encode_documents, encode_queries
from optical.search.exact import search, to_run
from optical.search.parts import part_from, read_part
from optical.search.runs import merge_runs, read_run, write_run
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


def encoder_of_halves(tokeniser):
    """Return an encoder whose vectors hold halves: every sum is exact, whatever else is in its batch, and many tie."""
    table_VD = torch.randint(-1, 2, (tokeniser.get_vocab_size(), 4), generator=torch.Generator().manual_seed(1)) / 2

    def encode(texts, kind, precision):
        for index in sorted(range(len(texts)), key=lambda index: -len(texts[index])):
            ids_L = torch.as_tensor(texts[index], dtype=torch.int64)
            yield index, table_VD[ids_L], ids_L

    return SimpleNamespace(tokeniser=tokeniser, dimension=4, encode=encode)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_any_number_of_parts_gives_the_run_of_the_whole(encoder, tmp_path, precision):
    words, encoder = random.Random(2), encoder_of_halves(encoder.tokeniser)
    texts = [" ".join(words.choices(["river", "moon", "north", "sun"], k=words.randint(1, 4))) for _ in range(60)]
    texts[:3] = ["", "sun", "sun"]
    write_jsonl(tmp_path / "documents.jsonl", ({"id": f"d{n}", "text": text} for n, text in enumerate(texts)))
    vectors_QMD, mask_QM = encode_queries(encoder, ["the moon", "the sun in the north"])

    def run_of(part):
        folder = tmp_path / part
        encode_documents(encoder, read_part(tmp_path / "documents.jsonl", part_from(part)), DOCUMENT, folder)
        hits = search(vectors_QMD, mask_QM, [folder], 40, precision=precision)
        write_run(folder / "run.trec", to_run(["q0", "q1"], hits), "halves", in_full=True)
        return read_run(folder / "run.trec"), TokenVectors.open(folder).documents

    whole, documents = run_of("1-of-1")
    assert documents == 60
    assert all(len(hits) == 40 > len({score for _, score in hits}) for hits in whole.values())
    for count in (2, 3, 7, 75):
        parts, sizes = zip(*(run_of(f"{number}-of-{count}") for number in range(1, count + 1)), strict=True)
        assert sum(sizes) == 60
        assert max(sizes) - min(sizes) <= 1
        assert merge_runs(parts, 40) == whole


def test_scores_in_full_tell_apart_what_six_decimals_do_not(tmp_path):
    near = {"q": [("a", 1.0 + 2**-23), ("b", 1.0)]}  # neighbours among numbers of 32 bits
    write_run(tmp_path / "full.trec", near, "tag", in_full=True)
    assert read_run(tmp_path / "full.trec") == near


@pytest.mark.parametrize("text", ["0-of-2", "3-of-2", "1/2", "1-of-"])
def test_a_part_is_one_of_those_there_are(text):
    with pytest.raises(ValueError):
        part_from(text)
