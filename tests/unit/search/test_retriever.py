"""The Python API: load, index, search."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import optical
from optical import Retriever
from optical.corpora.passages import text_of
from optical.errors import ConfigError, DataError, ResourceError
from optical.files import write_json, write_jsonl
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.search.encoding import encode_documents, encode_queries
from optical.search.exact import search
from optical.web.searcher import Searcher
from support.tiny_models import save_encoder
from support.toy_results import DOCUMENTS, make_results, student_of

QUERIES = ["swali la kwanza", "mto uko wapi"]
TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results"))


def test_the_package_imports_nothing_heavy_before_a_name_is_used():
    program = "import optical, sys; print(dir(optical), {'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "'Retriever'" in done.stdout and done.stdout.endswith(" set()\n")


def test_public_names_are_there_and_type_checkers_know_them():
    stub = Path(optical.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    for name, module in optical.PUBLIC.items():
        assert getattr(optical, name).__module__ == module
        assert f"from {module} import {name} as {name}\n" in stub
    assert set(optical.__all__) == {*optical.PUBLIC, "__version__"}


NOTEBOOK = """
import os, sys
sys.path.append(sys.argv[1])
from support.programs import forbid_network
forbid_network()
from optical import Retriever
retriever = Retriever.load(sys.argv[2])
retriever.index([{"id": "a", "text": "mwezi"}], to=sys.argv[3])
assert retriever.search("mwezi")
retriever.encoder.save(sys.argv[3] + ".model")
from huggingface_hub import constants
print(constants.HF_HUB_OFFLINE, [name for name in os.environ if name.startswith(("HF_", "TOKENIZERS_"))])
"""


def test_the_library_leaves_the_network_to_its_user_and_uses_none_itself(results, tmp_path):
    """After it is imported, other libraries can download models; it says nothing and loads no model from a network."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TOKENIZERS_"))}
    command = [sys.executable, "-c", NOTEBOOK, TESTS, student_of(results), tmp_path / "index"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("False []\n", "")


def test_the_teacher_that_a_student_names_reads_the_passages(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    assert retriever.reader == results / "teacher"
    retriever.index(DOCUMENTS, tmp_path / "index")
    expected = search(*encode_queries(load_encoder(student_of(results)), QUERIES), [results / "vectors/atlas"], 3)
    answers = retriever.search_all(QUERIES, top=3)
    assert [[hit.id for hit in hits] for hits in answers] == [of_query.ids for of_query in expected]
    assert [[hit.score for hit in hits] for hits in answers] == [of_query.scores.tolist() for of_query in expected]
    assert [of_query.ids for of_query in retriever.rank(QUERIES, top=3)] == [of_query.ids for of_query in expected]
    assert retriever.search_all([]) == retriever.rank([]) == []
    texts = {document["id"]: text_of(document) for document in DOCUMENTS}
    for hit in answers[0]:
        assert hit.text == texts[hit.id]
        assert all(hit.text[match.start : match.end].strip() for match in hit.matches)
    assert Retriever.open(tmp_path / "index").search_all(QUERIES, top=3) == answers


def test_a_student_that_was_taught_documents_reads_the_passages_itself(tmp_path):
    results = make_results(tmp_path / "results")
    student = student_of(results)
    record = json.loads((student / "provenance.json").read_text())
    record["settings"]["sides"] = ["query", "document"]
    write_json(student / "provenance.json", record)
    retriever = Retriever.load(student)
    assert retriever.reader == student
    retriever.index(DOCUMENTS, tmp_path / "index")
    encode_documents(load_encoder(student), DOCUMENTS, DOCUMENT, tmp_path / "vectors")
    expected = search(*encode_queries(load_encoder(student), QUERIES), [tmp_path / "vectors"], 3)
    assert [of_query.ids for of_query in retriever.rank(QUERIES, top=3)] == [of_query.ids for of_query in expected]


def test_a_teacher_elsewhere_is_named_and_another_is_refused(results, tmp_path):
    student = tmp_path / "student"
    student_of(make_results(tmp_path / "copy")).rename(student)
    with pytest.raises(DataError, match="the student's teacher is not beside it .*--teacher FOLDER"):
        Retriever.load(student)
    assert Retriever.load(student, teacher=results / "teacher").reader == results / "teacher"
    with pytest.raises(DataError, match="was made from another model"):
        Retriever.load(student, teacher=_another(tmp_path / "another"))
    _another(tmp_path / "teacher")
    with pytest.raises(DataError, match="not the teacher that this student was trained with"):
        Retriever.load(student)


def _another(folder):
    from support.tiny_models import save_encoder

    return save_encoder(folder, seed=8)


def test_an_exported_student_finds_the_teacher_of_its_export(results, tmp_path):
    for name, model in (("query", student_of(results)), ("document", results / "teacher")):
        load_encoder(model).save(tmp_path / name)
    shutil.copyfile(student_of(results) / "provenance.json", tmp_path / "query/provenance.json")
    retriever = Retriever.load(tmp_path / "query")
    assert retriever.reader == tmp_path / "document"
    retriever.index(DOCUMENTS, tmp_path / "index")
    assert Retriever.open(tmp_path / "index", model=student_of(results)).search("mto")


def test_passages_come_from_files_of_every_form(results, tmp_path):
    short = [document for document in DOCUMENTS if "title" not in document]
    write_jsonl(tmp_path / "passages.jsonl", short)
    table = "".join(f"{document['id']}\t{document['text']}\n" for document in short)
    (tmp_path / "passages.tsv").write_text(table, encoding="utf-8")
    (tmp_path / "passages.tsv.gz").write_bytes(gzip.compress(table.encode()))
    retriever = Retriever.load(student_of(results))
    answers = []
    for name in ("passages.jsonl", "passages.tsv", "passages.tsv.gz"):
        assert retriever.index(tmp_path / name, tmp_path / f"{name}.index").size == len(short)
        answers.append(retriever.search(QUERIES[1]))
    assert answers[0] == answers[1] == answers[2]


def test_faulty_passages_are_named_by_their_line(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    for lines, what in (
        (["a\tone", "a\ttwo"], "duplicate document id a .*line 2"),
        (["b\t "], "no document has a text .*line 1"),
        ([], "the file holds no documents"),
    ):
        (tmp_path / "passages.tsv").write_text("\n".join(lines), encoding="utf-8")
        with pytest.raises(DataError, match=what):
            retriever.index(tmp_path / "passages.tsv", tmp_path / "index")
    assert not list((tmp_path / "index").glob("*"))


@pytest.mark.parametrize(
    ("passage", "what"),
    [
        ({"text": "mto"}, "passage 2 lacks id or text"),
        ({"id": "a"}, "passage 2 lacks id or text"),
        ("mto", "passage 2 lacks id or text"),
        ({"id": "a", "text": None}, "passage 2: the text of document a is not text"),
        ({"id": "a", "text": "mto", "date": 2024}, "passage 2: the date of document a is not text"),
        ({"id": "\ufeffa", "text": "mto"}, "is empty or has white space"),
    ],
)
def test_faulty_passages_of_a_program_are_named_by_their_number(results, tmp_path, passage, what):
    with pytest.raises(DataError, match=what):
        Retriever.load(student_of(results)).index([{"id": "first", "text": "moon"}, passage], tmp_path / "index")


def test_a_program_may_give_numbers_as_ids_and_one_text_in_place_of_a_list(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    passages = [{"id": number, "text": "the moon", "pages": object()} for number in (1, np.int64(2), np.str_("12"))]
    retriever.index(passages, tmp_path / "index")
    assert retriever.remove("12").removed == 1  # and not 1 and 2
    assert retriever.remove([]).removed == 0
    assert [hits.ids for hits in retriever.rank("the moon")] == [["1", "2"]]
    assert len(retriever.search_all("the moon")) == 1
    with pytest.raises(ConfigError, match="0 passages .*1 at least"):
        retriever.search("the moon", top=0)
    with pytest.raises(ConfigError, match="not text .*search_all takes a list"):
        retriever.search(["the moon", "the river"])  # a tokeniser would read them as one pair
    with pytest.raises(ConfigError, match=r"keys would be read .*list\(queries\.values\(\)\)"):
        retriever.rank({"q1": "the moon"})
    assert "transformer" not in repr(retriever)


def test_passages_without_an_index_get_the_scores_of_a_search(results, tmp_path):
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS, tmp_path / "index")
    for query in QUERIES:
        found, again = retriever.search(query), retriever.rerank(query, reversed(DOCUMENTS))
        assert [hit._replace(score=0) for hit in again] == [hit._replace(score=0) for hit in found]
        assert [hit.score for hit in again] == pytest.approx([hit.score for hit in found], abs=1e-5)
        assert retriever.rerank(query, DOCUMENTS, top=2) == again[:2]
    texts = [text_of(document) for document in DOCUMENTS]
    assert [texts[int(hit.id)] for hit in retriever.rerank(query, texts)] == [hit.text for hit in found]
    assert retriever.rerank(query, []) == []
    assert [hit.id for hit in retriever.rerank(query, ["the moon"] * 3)] == ["0", "1", "2"]
    with pytest.raises(DataError, match="duplicate document id a"):
        retriever.rerank(query, [{"id": "a", "text": "moon"}] * 2)
    with pytest.raises(ConfigError, match="0 passages .*1 at least"):
        retriever.rerank(query, texts, top=0)


def test_passages_are_added_one_after_the_other_without_loading_their_model_again(results, tmp_path, monkeypatch):
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS[:1], tmp_path / "index")
    monkeypatch.setattr("optical.search.retriever.load_encoder", lambda *_: pytest.fail("loaded again"))
    assert retriever.add(DOCUMENTS[1:2]).added == 1


def test_the_tokeniser_of_the_passages_is_loaded_once(results, tmp_path, monkeypatch):
    retriever = Retriever.load(student_of(results))
    retriever.index(DOCUMENTS, tmp_path / "index")
    first = retriever.search(QUERIES[0])
    monkeypatch.setattr("optical.text.tokeniser.load_tokeniser", lambda *_: pytest.fail("loaded again"))
    assert retriever.search(QUERIES[0]) == first


def test_a_teacher_that_has_changed_since_reads_no_passages(tmp_path):
    results = make_results(tmp_path / "results")
    Retriever.load(student_of(results)).index(DOCUMENTS, tmp_path / "index")
    retriever = Retriever.open(tmp_path / "index")
    save_encoder(results / "teacher", seed=9)
    with pytest.raises(DataError, match="the model has changed since"):
        retriever.rerank(QUERIES[0], DOCUMENTS)
    with pytest.raises(DataError, match="the model has changed since"):
        Searcher({"sw": Retriever.open(tmp_path / "index")})


def test_passages_are_read_in_the_precision_asked_for(results, tmp_path):
    def vectors(precision):
        retriever = Retriever.load(results / "teacher", precision=precision)
        retriever.index(DOCUMENTS[:2], tmp_path / precision)
        Retriever.open(tmp_path / precision, precision=precision).add(DOCUMENTS[2:])
        read = retriever.indexed().vectors(sorted(document["id"] for document in DOCUMENTS))
        return np.concatenate([read[name] for name in sorted(read)]).astype(np.float32)

    exact, coarse = vectors("fp32"), vectors("bf16")
    assert exact.shape == coarse.shape and 0 < abs(exact - coarse).max() < 0.05
    assert Retriever.load(results / "teacher", precision="auto").precision in ("fp32", "bf16")
    with pytest.raises(ConfigError, match="unknown precision 'fp16'"):
        Retriever.load(results / "teacher", precision="fp16")


@pytest.mark.parametrize(("device", "error"), [("cuda:9", ResourceError), ("gpu", ConfigError), ("mps", ConfigError)])
def test_a_device_that_is_not_there_is_an_error_in_one_line(results, device, error):
    with pytest.raises(error, match="device"):
        Retriever.load(student_of(results), device=device)
    assert str(Retriever.load(student_of(results), device="auto").device).startswith(("cpu", "cuda"))


def test_passages_longer_than_the_encoder_reads_are_counted(results, tmp_path, caplog):
    Retriever.load(student_of(results)).index(DOCUMENTS, tmp_path / "index")
    assert "1 of 7 passages are longer than 17 tokens: only their beginning is read" in caplog.text


def test_without_passages_a_search_says_what_to_do(results):
    with pytest.raises(DataError, match=r"this retriever has no passages yet .*retriever\.index"):
        Retriever.load(results / "teacher").search("moon")
