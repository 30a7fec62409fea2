"""A collection in parts gives the run of the whole."""

import random
from types import SimpleNamespace

import pytest
import torch

from optical.files import write_jsonl
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.search.encoding import encode_documents, encode_queries
from optical.search.exact import search, to_run
from optical.search.parts import part_from, read_part
from optical.search.runs import merge_runs, read_run, write_run
from optical.search.vectors import TokenVectors
from support.tiny_models import save_encoder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return load_encoder(save_encoder(tmp_path_factory.mktemp("encoder")))


def encoder_of_halves(tokeniser):
    """Return an encoder whose vectors hold halves: every sum is exact, whatever else is in its batch, and many tie."""
    table_VD = torch.randint(-1, 2, (tokeniser.get_vocab_size(), 4), generator=torch.Generator().manual_seed(1)) / 2

    def encode(texts, kind, precision):
        for index in sorted(range(len(texts)), key=lambda index: -len(texts[index])):
            ids_L = torch.as_tensor(texts[index], dtype=torch.int64)
            yield index, table_VD[ids_L], ids_L

    return SimpleNamespace(tokeniser=tokeniser, dimension=4, encode=encode, room=lambda kind: 99)


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


@pytest.mark.parametrize("text", ["0-of-2", "3-of-2", "1/2", "1-of-"])
def test_a_part_is_one_of_those_there_are(text):
    with pytest.raises(ValueError):
        part_from(text)
