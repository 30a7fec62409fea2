"""Exported models give the same token vectors, scores and ranking in PyLate and sentence-transformers as here."""

import math
from pathlib import Path

import pytest
import torch

from optical.cli.main import main
from optical.losses.late_interaction import max_sim
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.peers import run_in, with_pylate
from support.tiny_models import TEXTS, save_encoder

# Cut texts, unknown words, signs that the vocabulary lacks, and a text of punctuation alone.
HARD = (*TEXTS, "the moon " * 20, "xyz ☃ the moon; (unknown) ~ words", "?!")
CASES = {
    "trained": {},
    "bert": {"tokeniser": "bert"},
    "expanded": {"query_expansion": True},
    "attended": {"query_expansion": True, "attend_to_expansion": True},
    "unprojected": {"dimension": 0},
    "punctuated": {"skip_punctuation": False},
}
CLOSE = 1e-4


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A folder for each case: student and teacher, and their export."""
    base = tmp_path_factory.mktemp("exports")
    for name, settings in CASES.items():
        student = save_encoder(base / name / "student", seed=1, **settings)
        teacher = save_encoder(base / name / "teacher", seed=2, **settings)
        arguments = ["--model", student, "--teacher", teacher, "--to", base / name / "export"]
        assert main(["export", *map(str, arguments)]) == 0
    return base


def ours(folder: Path) -> dict:
    """Return what the peers return: token vectors of both sides, and scores."""
    found = {}
    for key, name, kind in (("query", "student", QUERY), ("document", "teacher", DOCUMENT)):
        encoder = load_encoder(folder / name)
        encoded = encoder.encode(list(tokenise(encoder.tokeniser, HARD)), kind)
        found[key] = [vectors_LD for _, vectors_LD, _ in sorted(encoded, key=lambda item: item[0])]
    found["scores"] = [[_score(query, document) for document in found["document"]] for query in found["query"]]
    return found


def _score(query_MD, document_LD):
    masks = (torch.ones(1, len(vectors), dtype=torch.bool) for vectors in (query_MD, document_LD))
    query_mask, document_mask = masks
    return max_sim(query_MD[None], query_mask, document_LD[None], document_mask).item()


def agree(name: str, mine: dict, theirs: dict) -> None:
    for side in ("query", "document"):
        for text, own, other in zip(HARD, mine[side], theirs[side], strict=True):
            other = torch.as_tensor(other)
            assert own.shape == other.shape, (name, side, text)
            torch.testing.assert_close(own, other.float(), atol=CLOSE, rtol=0)
    for own_row, other_row in zip(mine["scores"], theirs["scores"], strict=True):
        assert all(math.isclose(a, b, abs_tol=CLOSE) for a, b in zip(own_row, other_row, strict=True))
        assert _ranking(own_row) == _ranking(other_row)


def _ranking(row):
    return sorted(range(len(row)), key=lambda index: -round(row[index], 3))


@pytest.mark.workflow
def test_pylate_gives_the_same_vectors_scores_and_ranking(exports):
    python = with_pylate()
    folders = {name: str(exports / name / "export") for name in CASES}
    theirs = run_in(python, Path(__file__).with_name("load_in_pylate.py"), list(folders.values()), HARD)
    for name, folder in folders.items():
        agree(name, ours(exports / name), theirs[folder])


@pytest.mark.parametrize("name", CASES)
def test_sentence_transformers_gives_the_same(exports, name):
    from sentence_transformers import MultiVectorEncoder

    export = exports / name / "export"
    query = MultiVectorEncoder(str(export / "query"), device="cpu")
    document = MultiVectorEncoder(str(export / "document"), device="cpu")
    queries, documents = query.encode_query(list(HARD)), document.encode_document(list(HARD))
    scores = [[float(query.similarity([q], [d])[0, 0]) for d in documents] for q in queries]
    agree(name, ours(exports / name), {"query": queries, "document": documents, "scores": scores})
