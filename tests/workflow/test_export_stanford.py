"""Exported checkpoints give the same token vectors in Stanford ColBERT and in sentence-transformers as here."""

import shutil
from pathlib import Path

import pytest
import torch

from optical.cli.main import main
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.peers import environment, run_in
from support.tiny_models import TEXTS, save_encoder

# The code is of the time of transformers 4.
REQUIREMENTS = (
    "transformers==4.49.0",
    "bitarray",
    "git-python",
    "python-dotenv",
    "ninja",
    "flask",
    "ujson",
    "requests",
)
# A sign that the vocabulary lacks stands for [UNK] in that code, so the texts hold only known words.
KNOWN = (*TEXTS, "the moon " * 20)
CASES = {
    "plain": {},
    "expanded": {"query_expansion": True},
    "bert": {"tokeniser": "bert"},
    "unprojected": {"dimension": 0},
}


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A folder for each case: student and teacher, and their export."""
    base = tmp_path_factory.mktemp("exports")
    for name, settings in CASES.items():
        student = save_encoder(base / name / "student", seed=1, **settings)
        teacher = save_encoder(base / name / "teacher", seed=2, **settings)
        arguments = ["--model", student, "--teacher", teacher, "--to", base / name / "export", "--format", "stanford"]
        assert main(["export", *map(str, arguments)]) == 0
    return base


def agree(folder, theirs):
    for side, name, kind in (("query", "student", QUERY), ("document", "teacher", DOCUMENT)):
        encoder = load_encoder(folder / name)
        for index, vectors_LD, _ in encoder.encode(list(tokenise(encoder.tokeniser, KNOWN)), kind):
            other = torch.as_tensor(theirs[side][index]).float()
            assert vectors_LD.shape == other.shape, (folder.name, side, KNOWN[index])
            torch.testing.assert_close(vectors_LD, other, atol=1e-4, rtol=0)


@pytest.mark.workflow
@pytest.mark.skipif(shutil.which("g++") is None, reason="Stanford ColBERT compiles C++ when it starts")
def test_stanford_colbert_gives_the_same_vectors(exports):
    python = environment(REQUIREMENTS, ["colbert-ai==0.2.21"])
    folders = {name: str(exports / name / "export") for name in CASES}
    theirs = run_in(python, Path(__file__).with_name("load_in_stanford.py"), list(folders.values()), KNOWN)
    for name, folder in folders.items():
        agree(exports / name, theirs[folder])
        agree_on_card(exports / name, **theirs[folder]["card"])
        assert same_vectors(exports / name / "student", Path(folder, "saved")), f"{name}: as that code saves it"


def agree_on_card(folder, queries, passages, scores):
    """Compare the scores that the code of a model card prints for its own texts."""
    sides = (("student", QUERY, queries), ("teacher", DOCUMENT, passages))
    encoded = []
    for name, kind, texts in sides:
        encoder = load_encoder(folder / name)
        vectors = sorted(encoder.encode(list(tokenise(encoder.tokeniser, texts)), kind), key=lambda item: item[0])
        encoded.append([vectors_LD for _, vectors_LD, _ in vectors])
    mine = [[(query @ passage.T).amax(dim=1).sum().item() for passage in encoded[1]] for query in encoded[0]]
    assert len({len(vectors_LD) for vectors_LD in encoded[1]}) == len(passages) > 1, "of unequal length"
    torch.testing.assert_close(torch.tensor(scores), torch.tensor(mine), atol=1e-4, rtol=0)


def same_vectors(*folders):
    """Return whether encoders in whatever layout turn the texts into the same vectors, as queries and documents."""
    one, other = map(load_encoder, folders)
    for kind in (QUERY, DOCUMENT):
        texts = list(tokenise(one.tokeniser, KNOWN))
        for (_, own_LD, _), (_, read_LD, _) in zip(one.encode(texts, kind), other.encode(texts, kind), strict=True):
            torch.testing.assert_close(own_LD, read_LD, atol=1e-5, rtol=0)
    return True


def test_sentence_transformers_reads_the_checkpoint(exports):
    from sentence_transformers import MultiVectorEncoder

    export = exports / "expanded" / "export"
    query = MultiVectorEncoder(str(export / "query"), device="cpu").encode_query(list(KNOWN))
    document = MultiVectorEncoder(str(export / "document"), device="cpu").encode_document(list(KNOWN))
    agree(exports / "expanded", {"query": query, "document": document})
