"""Exported models give the same token vectors, scores and ranking in PyLate and sentence-transformers as here."""

import io
import json
import logging
import math
from pathlib import Path

import pytest
import torch

from optical.cli.main import main
from optical.losses.late_interaction import max_sim
from optical.models.encoder import DOCUMENT, QUERY
from optical.models.folders import load_encoder
from optical.text.tokeniser import tokenise
from support.hub import forget_client, use_hub
from support.local_server import COMMITTED, TOKEN, serving
from support.peers import run_in, with_peer
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
    "prompted": {"query_prompt": "the first: ", "document_prompt": "where is "},
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


def ours(folder: Path, queries=HARD, passages=HARD) -> dict:
    """Return what the peers return: token vectors of both sides, and scores."""
    found = {}
    for key, name, kind, texts in (("query", "student", QUERY, queries), ("document", "teacher", DOCUMENT, passages)):
        encoder = load_encoder(folder / name)
        encoded = encoder.encode(list(tokenise(encoder.tokeniser, texts)), kind)
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


def agree_on_card(folder: Path, queries: list[str], passages: list[str], scores: list) -> None:
    """Compare the scores that the code of a model card prints for its own texts."""
    mine = ours(folder, queries, passages)
    assert len({len(vectors_LD) for vectors_LD in mine["document"]}) == len(passages) > 1, "of unequal length"
    torch.testing.assert_close(torch.tensor(scores), torch.tensor(mine["scores"]), atol=CLOSE, rtol=0)


def _ranking(row):
    return sorted(range(len(row)), key=lambda index: -round(row[index], 3))


@pytest.mark.workflow
def test_pylate_gives_the_same_vectors_scores_and_ranking(exports):
    python = with_peer("pylate")
    folders = {name: str(exports / name / "export") for name in CASES}
    theirs = run_in(python, Path(__file__).with_name("load_in_pylate.py"), list(folders.values()), HARD)
    for name, folder in folders.items():
        agree(name, ours(exports / name), theirs[folder])
        agree_on_card(exports / name, **theirs[folder]["card"])


@pytest.mark.parametrize("name", CASES)
def test_sentence_transformers_gives_the_same(exports, name, warned):
    from sentence_transformers import MultiVectorEncoder

    export = exports / name / "export"
    query = MultiVectorEncoder(str(export / "query"), device="cpu")
    document = MultiVectorEncoder(str(export / "document"), device="cpu")
    queries, documents = query.encode_query(list(HARD)), document.encode_document(list(HARD))
    scores = [[float(query.similarity([q], [d])[0, 0]) for d in documents] for q in queries]
    agree(name, ours(exports / name), {"query": queries, "document": documents, "scores": scores})
    assert "newly initialized" not in warned()


def test_the_card_s_code_for_sentence_transformers_gives_the_same(exports, monkeypatch, capsys):
    monkeypatch.chdir(exports / "trained/export")
    names = {}
    exec(card_code("README.md", "sentence-transformers"), names)
    scores = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    agree_on_card(exports / "trained", names["queries"], names["passages"], scores)


def test_what_is_pushed_is_used_from_the_hub_as_its_card_says(exports, tmp_path, monkeypatch, capsys):
    models = ["--model", str(exports / "trained/student"), "--teacher", str(exports / "trained/teacher")]
    (tmp_path / "served").mkdir()
    monkeypatch.chdir(tmp_path)
    with serving(tmp_path / "served") as server:
        use_hub(monkeypatch, server.address)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        assert main(["export", *models, "--to", "export", "--push", "someone/sw"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"{server.address}/someone/sw: uploaded, private"
        names = {}
        exec(card_code(server.folder / "someone/sw" / COMMITTED / "README.md", "sentence-transformers"), names)
        forget_client(monkeypatch)
    assert Path(names["folder"]).is_relative_to(tmp_path / "home")
    scores = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    agree_on_card(exports / "trained", names["queries"], names["passages"], scores)


def card_code(card, program: str) -> str:
    """Return the code of a model card for a program."""
    text = Path(card).read_text(encoding="utf-8")
    return text.partition(f"With {program}:")[2].partition("```python\n")[2].partition("```")[0]


@pytest.fixture
def warned():
    """Return what transformers has logged since the test began."""
    lines, logger = io.StringIO(), logging.getLogger("transformers")
    handler = logging.StreamHandler(lines)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING)
    yield lines.getvalue
    logger.removeHandler(handler)
    logger.setLevel(level)
