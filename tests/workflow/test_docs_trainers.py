"""docs/trainers.md: its code trains a student in sentence-transformers and in PyLate, with the loss as it is here."""

import re
from pathlib import Path

import pytest

from optical import OptimalTransport, PairBatch, TransportSettings, load_encoder
from optical.files import write_jsonl
from optical.models.export import export
from support.peers import run_in, with_peer
from support.tiny_models import save_encoder
from support.toy_results import DOCUMENTS
from support.workspace import ROOT

PAGE = (ROOT / "docs/trainers.md").read_text(encoding="utf-8")
COMMON, *TRAINERS, SEARCH = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ENGLISH = ["where is the river", "the first question", "the moon and the sun"]
SWAHILI = ["mto uko wapi", "swali la kwanza", "mwezi na jua"]


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("peer", "code"),
    [*zip(["sentence_transformers", "pylate"], TRAINERS, strict=True)],
    ids=["sentence-transformers", "PyLate"],
)
def test_the_code_of_the_page_trains_a_student_that_searches(peer, code, tmp_path, monkeypatch):
    python = with_peer(peer)
    monkeypatch.chdir(tmp_path)
    prompts = {"query_prompt": "the first: ", "document_prompt": "where is "}
    student, teacher = (load_encoder(save_encoder(tmp_path / f"{seed}", seed, **prompts)) for seed in (1, 2))
    export(student, teacher, "exported/sw", "pylate", "", {})
    write_jsonl(tmp_path / "passages.jsonl", DOCUMENTS)

    def loss_of(student):
        sides = student.read(SWAHILI, "query"), teacher.read(ENGLISH, "query")
        return OptimalTransport(TransportSettings(marginals="uniform"))(PairBatch(*sides[0], *sides[1])).item()

    before = run_in(python, Path(__file__).with_name("train_in_peer.py"), [COMMON, code])
    assert before == pytest.approx(loss_of(student), abs=1e-4)
    trained = load_encoder("student")
    assert loss_of(trained) < before - 0.02
    assert trained.before("query") == student.before("query") and trained.length("query") == student.length("query")
    assert trained.skipped_ids.tolist() == student.skipped_ids.tolist()
    names = {}
    exec(SEARCH, names)
    assert len(names["retriever"].search("mto uko wapi", top=3)) == 3
