"""An index of one's own passages: what it holds, what it refuses, and that no change leaves it between two states."""

import json
import shutil

import pytest

from optical.errors import DataError
from optical.files import write_json
from optical.models.folders import load_encoder
from optical.runtime.progress import Progress
from optical.search import encoding
from optical.search.index import open_index
from optical.search.index_changes import build_index
from support.tiny_models import TEXTS, save_encoder
from support.toy_results import make_results, student_of

DOCUMENTS = [{"id": f"d{number}", "text": text} for number, text in enumerate(TEXTS)]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results"))


def build(results, folder, documents=DOCUMENTS):
    teacher = results / "teacher"
    return build_index(folder, documents, load_encoder(teacher), teacher, student_of(results))


def test_an_index_is_opened_as_it_was_built(results, tmp_path):
    index = build(results, tmp_path / "index")
    assert open_index(tmp_path / "index") == index
    assert (index.size, index.folder_of(index.reader)) == (len(DOCUMENTS), results / "teacher")
    assert index.query_model() == index.query_model("sw") == student_of(results)
    assert index.query_model("en") == index.query_model(method="zero-shot") == results / "teacher"
    with pytest.raises(DataError, match="there are students of sw"):
        index.query_model("so")


def test_the_teacher_of_an_index_has_the_students_beside_it_and_another_model_none(results, tmp_path):
    teacher, elsewhere = results / "teacher", save_encoder(tmp_path / "model", seed=9)
    students = {"sw": student_of(results), "en": teacher}
    for model in (teacher, student_of(results)):
        index = build_index(tmp_path / "index", DOCUMENTS, load_encoder(teacher), teacher, model)
        assert index.query_models() == students
    index = build_index(tmp_path / "index", DOCUMENTS, load_encoder(elsewhere), elsewhere, elsewhere)
    assert index.query_models() == {"": elsewhere}


def test_an_index_is_opened_by_a_link_that_lies_elsewhere(results, tmp_path):
    build(results, tmp_path / "index")
    (tmp_path / "one/two").mkdir(parents=True)
    (tmp_path / "one/two/link").symlink_to(tmp_path / "index")
    assert open_index(tmp_path / "one/two/link").query_model() == student_of(results)


def test_an_index_and_its_models_may_move_together_and_nothing_else(results, tmp_path):
    shutil.copytree(results, tmp_path / "here/results")
    build(tmp_path / "here/results", tmp_path / "here/index")
    shutil.move(tmp_path / "here", tmp_path / "there")
    index = open_index(tmp_path / "there/index")
    assert index.query_model() == tmp_path / "there/results/students/sw/optical/1"
    save_encoder(tmp_path / "there/results/teacher", seed=9)
    with pytest.raises(DataError, match=r"the model has changed since .*--model FOLDER"):
        index.query_model("en")
    shutil.rmtree(tmp_path / "there/results")
    with pytest.raises(DataError, match="is not there"):
        index.query_model()


def test_models_of_other_teachers_are_refused(results, tmp_path):
    index = build(results, tmp_path / "index")
    index.check(student_of(results))
    index.check(results / "teacher")
    other = make_results(tmp_path / "other")
    index.check(student_of(other))  # a copy of the same experiment
    stranger = save_encoder(tmp_path / "stranger", seed=7)
    with pytest.raises(DataError, match="the model does not belong to the index"):
        index.check(stranger)
    record = json.loads((student_of(other) / "provenance.json").read_text())
    record["inputs"]["teacher"]["model.safetensors"] = "0" * 64
    write_json(student_of(other) / "provenance.json", record)
    save_encoder(student_of(other), seed=7)
    with pytest.raises(DataError, match="was made from another model"):
        index.check(student_of(other))


@pytest.mark.parametrize("step", ["write_jsonl", "write_rows", "encode_documents", "Index.write"])
def test_a_change_that_fails_at_any_step_leaves_the_index_as_it_was(results, tmp_path, monkeypatch, step):
    before = build(results, tmp_path / "index")
    with monkeypatch.context() as broken:
        broken.setattr(f"optical.search.index_changes.{step}", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            build(results, tmp_path / "index", DOCUMENTS[:2])
    assert open_index(tmp_path / "index") == before
    after = build(results, tmp_path / "index", DOCUMENTS[:2])
    assert open_index(tmp_path / "index").size == 2
    assert sorted(path.name for path in (tmp_path / "index").iterdir()) == ["index.json", after.parts[0].name]


def test_what_a_killed_build_left_is_removed_and_other_files_are_not_touched(results, tmp_path):
    (tmp_path / "index/.part-0123abcd.x1").mkdir(parents=True)
    (tmp_path / "index/.index.json.x1.json").touch()
    build(results, tmp_path / "index")
    assert not list((tmp_path / "index").glob(".*"))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes/mine.txt").touch()
    with pytest.raises(DataError, match=r"there is something else .*mine\.txt"):
        build(results, tmp_path / "notes")


@pytest.mark.parametrize("name", ["part-00000.jsonl", "part-r-00000", ".part-1.crc", "part-0123abcd", "index.json"])
def test_files_of_a_user_that_are_named_alike_are_neither_deleted_nor_replaced(results, tmp_path, name):
    for place in ("corpus", "index"):
        (tmp_path / place).mkdir()
        (tmp_path / place / name).write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match="there is something else"):
        build(results, tmp_path / "corpus")
    if name != "index.json":
        (tmp_path / "index" / name).rename(tmp_path / "mine")
        build(results, tmp_path / "index")
        (tmp_path / "mine").rename(tmp_path / "index" / name)
        build(results, tmp_path / "index")
        assert (tmp_path / "index" / name).read_text(encoding="utf-8") == "[]"


def test_another_version_and_a_damaged_index_are_refused(results, tmp_path):
    index = build(results, tmp_path / "index")
    description = json.loads((index.folder / "index.json").read_text())
    write_json(index.folder / "index.json", description | {"format": 1})
    with pytest.raises(DataError, match="an index of version 1; this program reads version 2"):
        open_index(index.folder)
    parts = [part | {"deleted": [0]} for part in description["parts"]]
    without = {key: value for key, value in description.items() if key != "digest"}
    for damaged in (description | {"parts": parts}, without, without | {"digest": None}, {"format": 2}):
        write_json(index.folder / "index.json", damaged)
        with pytest.raises(DataError, match="a damaged index"):
            open_index(index.folder)
    with pytest.raises(DataError, match="not an index"):
        open_index(tmp_path)


def test_the_progress_of_a_build_knows_its_end(results, tmp_path, monkeypatch):
    totals = []
    monkeypatch.setattr(encoding, "Progress", lambda what, total: totals.append(total) or Progress(what, total))
    build(results, tmp_path / "index")
    assert totals == [len(DOCUMENTS)]


def test_an_index_of_nothing_is_refused(results, tmp_path):
    with pytest.raises(DataError, match="no passages"):
        build(results, tmp_path / "index", [])
