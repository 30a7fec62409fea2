"""Every command of `optical`: what it prints and what it writes. How it refuses bad input: test_cli_errors.py."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from optical import cli, cli_doctor, terminal
from optical.cli_align import Alignment, picture
from optical.cli_search import passage_as_text, read_documents
from optical.encoder import DOCUMENT, load_encoder
from optical.matching import matches
from optical.parts import read_part
from optical.passages import text_of
from optical.project import project_folder
from optical.retrieval import encode_documents
from optical.runs import read_run
from optical.tokens import train_tokeniser
from tiny_models import TEXTS
from toy_results import DOCUMENTS, student_of

HEAVY = {"torch", "transformers", "pandas", "numpy", "yaml", "matplotlib"}


# --- help


def test_help_imports_nothing_heavy_and_is_quick():
    code = (
        "import sys, resource\nfrom optical.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), used.ru_utime + used.ru_stime)"
    )
    library = {"PYTHONPATH": str(Path(cli.__file__).parents[1])}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | library)
    heavy, _, seconds = done.stdout.splitlines()[-1].rpartition(" ")
    assert heavy == "[]"
    assert float(seconds) < 0.5


@pytest.mark.parametrize("command", ["", *cli.COMMANDS])
def test_every_command_has_help_with_an_example(optical, command):
    code, output, _ = optical(*command.split(), "--help")
    assert code == 0
    assert f"\n  optical {command}" in output


# --- align


def test_align_gives_a_plan_whose_rows_and_columns_weigh_the_same(optical, results):
    code, output, _ = optical(
        "align", "--model", student_of(results), "--teacher", results / "teacher", "mto uko wapi", "the river", "--json"
    )
    assert code == 0
    found = json.loads(output)
    plan = np.array(found["plan"])
    assert plan.shape == (len(found["foreign"]), len(found["english"])) == np.shape(found["cost"])
    np.testing.assert_allclose(plan.sum(axis=1), 1 / len(plan), atol=1e-3)
    assert found["transport_cost"] == pytest.approx((plan * np.array(found["cost"])).sum())


def test_align_transports_as_the_model_was_trained_unless_told_otherwise(optical, results):
    arguments = ["align", "--model", student_of(results), "mto uko", "the river", "--json"]
    trained = json.loads(optical(*arguments)[1])["transport"]
    assert trained == {"solver": "ipot", "regularisation": 0.2}
    told = json.loads(optical(*arguments, "--solver", "exact", "--regularisation", "0.5")[1])["transport"]
    assert told == {"solver": "exact", "regularisation": 0.5}


def test_align_aligns_a_sentence_with_itself_on_the_diagonal(optical, results):
    arguments = ["align", "--model", results / "teacher", TEXTS[0], TEXTS[0], "--solver", "exact", "--json"]
    plan = np.array(json.loads(optical(*arguments)[1])["plan"])
    np.testing.assert_allclose(plan, np.eye(len(plan)) / len(plan), atol=1e-6)


def test_align_draws_a_picture_of_marathi(optical, results, tmp_path):
    code, output, _ = optical(
        "align", "--model", student_of(results), "चंद्र आणि सूर्य", "the moon", "--png", tmp_path / "plan.png"
    )
    assert code == 0
    assert "चंद्र" in output and "░" in output
    assert (tmp_path / "plan.png").read_bytes().startswith(b"\x89PNG")


@given(
    foreign=st.lists(st.sampled_from(["swali", "##la", "चंद्र", "月", "é"]), min_size=1, max_size=6),
    english=st.lists(st.sampled_from(["the", "question", "##s", "moon"]), min_size=1, max_size=20),
    columns=st.integers(40, 120),
    seed=st.integers(0, 9),
)
@settings(max_examples=60, deadline=None)
def test_a_picture_fits_the_terminal_and_shows_every_token(foreign, english, columns, seed):
    plan = np.random.default_rng(seed).random((len(foreign), len(english))).tolist()
    lines = picture(Alignment(foreign, english, plan, plan), columns).splitlines()
    assert max(terminal.width(line) for line in lines) <= columns
    heads = " ".join(line for line in lines if not any(sign in line for sign in "░▒▓█.")).split()
    assert heads == english


def test_a_combining_mark_takes_no_column():
    assert [terminal.width(text) for text in ("सूर्य", "e\u0301", "月", "\u200d")] == [3, 1, 2, 0]


# --- search


def test_search_ranks_by_maxsim_and_marks_the_words_that_matched(optical, results):
    arguments = ["search", "--results", results, "--collection", "atlas", "--lang", "en"]
    code, output, _ = optical(*arguments, TEXTS[1], "--json", "--top", 3)
    assert code == 0
    best = json.loads(output)["passages"]
    assert [passage["rank"] for passage in best] == [1, 2, 3]
    assert best[0]["score"] >= best[1]["score"] >= best[2]["score"]
    for passage in best:
        for match in passage["matches"]:
            assert passage["text"][match["start"] : match["end"]] == match["word"]
    assert "[" in optical(*arguments, TEXTS[1])[1]


def test_words_are_marked_for_a_student_with_other_word_pieces(optical, results, tmp_path):
    student, text = load_encoder(student_of(results)), TEXTS[1]
    student.tokeniser = train_tokeniser(TEXTS, vocabulary_size=100)
    student.save(tmp_path / "extended")
    teacher = load_encoder(results / "teacher")
    assert len(student.tokeniser.encode(text)) > len(teacher.tokeniser.encode(text))
    arguments = ["search", "--results", results, "--collection", "atlas", "--model", tmp_path / "extended"]
    passages = json.loads(optical(*arguments, text, "--json")[1])["passages"]
    assert all(passage["matches"] for passage in passages)


def test_search_takes_a_folder_and_a_name_alike(optical, results):
    name = optical("search", "--results", results, "--collection", "atlas", "--lang", "sw", "swali", "--json")
    folder = optical("search", "--collection", results / "collections/atlas", "--lang", "sw", "swali", "--json")
    assert name == folder and name[0] == 0


def test_search_reads_a_collection_that_was_encoded_in_parts(optical, results, tmp_path):
    arguments = ["search", "--lang", "sw", "swali", "--json", "--collection", "atlas", "--results"]
    shutil.copytree(results, tmp_path / "results")
    shutil.rmtree(tmp_path / "results/vectors")
    for number in range(1, 4):
        documents = read_part(results / "collections/atlas/documents.jsonl", (number, 3))
        folder = tmp_path / f"results/part_vectors/atlas/{number}-of-3"
        encode_documents(load_encoder(results / "teacher"), documents, DOCUMENT, folder)

    def scores(folder):  # what a document is batched with may move the last digits of its vectors
        return {passage["id"]: passage["score"] for passage in json.loads(optical(*arguments, folder)[1])["passages"]}

    whole = pytest.approx(scores(results), abs=1e-4)
    assert scores(tmp_path / "results") == whole
    # what an earlier or interrupted division left behind is not searched besides
    for name in ("1-of-2", "1-of-1", ".2-of-3.x1"):
        shutil.copytree(folder, folder.with_name(name))
    os.utime(folder.with_name("1-of-1"), (1, 1))
    assert scores(tmp_path / "results") == whole


def test_a_student_that_reads_documents_searches_what_it_read(optical, results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    own = tmp_path / "results/student_vectors/atlas/sw/optical/1"
    shutil.copytree(tmp_path / "results/vectors/atlas", own)
    shutil.rmtree(tmp_path / "results/vectors/atlas")
    (tmp_path / "results/vectors/atlas").mkdir()  # nothing of the teacher's is looked at
    arguments = ["search", "--lang", "sw", "swali", "--json", "--collection", "atlas", "--results"]
    assert optical(*arguments, tmp_path / "results") == optical(*arguments, results)
    # another model than this experiment's students reads what the teacher read
    shutil.rmtree(tmp_path / "results/vectors")
    shutil.copytree(results / "vectors", tmp_path / "results/vectors")
    shutil.rmtree(own)
    own.mkdir()
    for model in (results / "students/sw/optical/1", tmp_path / "results/teacher"):
        assert optical(*arguments, tmp_path / "results", "--model", model)[0] == 0


@pytest.mark.parametrize("ensure_ascii", [True, False])
def test_documents_are_found_by_ids_of_any_signs(tmp_path, ensure_ascii):
    documents = {name: {"id": name, "text": name} for name in ('a"b', "c\\d", "\\", '"', "é\x7f\x01", "plain")}
    lines = [json.dumps(document, ensure_ascii=ensure_ascii) for document in documents.values()]
    (tmp_path / "documents.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert read_documents(tmp_path / "documents.jsonl", set(documents)) == documents
    for name in documents:
        assert read_documents(tmp_path / "documents.jsonl", {name}) == {name: documents[name]}


def test_a_batch_gives_the_same_ranking_as_a_run_and_as_json(optical, results, tmp_path):
    queries = results / "collections/atlas/queries/sw.tsv"
    arguments = ["search", "--results", results, "--collection", "atlas", "--lang", "sw", "--queries", queries]
    assert optical(*arguments, "--out", tmp_path / "run.trec")[0] == 0
    run = read_run(tmp_path / "run.trec")
    answers = [json.loads(line) for line in optical(*arguments, "--json")[1].splitlines()]
    assert {answer["query_id"]: [p["id"] for p in answer["passages"]] for answer in answers} == {
        query: [document for document, _ in hits] for query, hits in run.items()
    }
    assert list(run) == ["q1", "q2"]


def test_a_file_of_queries_may_come_from_windows_and_a_run_go_to_a_new_folder(optical, results, tmp_path):
    arguments = ["search", "--results", results, "--collection", "atlas", "--lang", "sw", "--json"]
    plain, windows, run = (tmp_path / name for name in ("plain.tsv", "windows.tsv", "new/folder/run.trec"))
    plain.write_text("q1\tswali la kwanza\nq2\tmto\n", encoding="utf-8")
    windows.write_bytes("\ufeffq1\tswali la kwanza\r\n\r\nq2\tmto\r\n\r\n".encode())
    expected = optical(*arguments, "--queries", plain)
    assert expected[0] == 0 and expected[1].count("\n") == 2
    assert optical(*arguments, "--queries", windows, "--out", run) == expected
    assert list(read_run(run)) == ["q1", "q2"]


def test_a_query_of_any_length_and_script_is_answered_and_timed(optical, results):
    arguments = ["search", "--results", results, "--collection", "atlas", "--lang", "sw", "--top", 1]
    for query in ("swali la kwanza " * 5000, "☃", "चंद्र", "a\x01b"):
        code, output, _ = optical(*arguments, query)
        assert code == 0
        assert re.search(r"^1 passage in \d+\.\d\d s$", output, re.MULTILINE)


def test_the_hint_of_a_missing_student_names_those_there_are(optical, results):
    error = optical("search", "--results", results, "--collection", "atlas", "--lang", "so", "x")[2]
    assert "there are students of sw" in error
    error = optical("search", "--results", results, "--collection", "atlas", "--lang", "sw", "--method", "mse", "x")[2]
    assert "of sw there are (method, seed): optical 1" in error


def test_what_a_killed_training_left_is_no_student_and_no_collection(optical, results, tmp_path, monkeypatch):
    there = tmp_path / "results"
    for name in ("students/sw/mse/.1.x1", "students/so/optical/1", "collections/.atlas.x1"):
        shutil.copytree(student_of(results), there / name)
        (there / name / "documents.jsonl").touch()
    (there / "vectors/atlas").mkdir(parents=True)
    search = ["search", "--results", there, "--lang", "sw", "x", "--collection"]
    assert "snakemake" in optical(*search, "atlas")[2]
    assert "there are students of so;" in optical(*search, results / "collections/atlas")[2]
    (tmp_path / "config").symlink_to(project_folder() / "config")
    monkeypatch.chdir(tmp_path)
    rows = optical("languages", "--json")[1].splitlines()
    students = {row["code"]: row["students"] for row in map(json.loads, rows)}
    assert (students["sw"], students["so"]) == ([], ["optical"])


@pytest.mark.parametrize("number", range(len(DOCUMENTS)))
def test_a_marked_word_holds_the_most_similar_token(results, number):
    encoder, text = load_encoder(results / "teacher"), text_of(DOCUMENTS[number])
    pieces = encoder.tokeniser.encode(text, add_special_tokens=False)
    ((_, document_LD, ids_L),) = encoder.encode([pieces.ids], DOCUMENT)
    content_L = encoder.content_mask(ids_L[None], torch.ones_like(ids_L)[None])[0]
    query_MD = torch.nn.functional.normalize(torch.randn(4, encoder.dimension), dim=-1)
    found = matches(encoder, encoder.tokeniser, list("abcd"), query_MD, text, document_LD.numpy())
    best = (query_MD @ document_LD[content_L].T).argmax(dim=1)
    for token, index in zip("abcd", best, strict=True):
        piece = encoder.tokeniser.id_to_token(int(ids_L[content_L][index])).removeprefix("##")
        (word,) = [text[match.start : match.end] for match in found if token in match.query_tokens]
        assert piece == "[UNK]" or piece in word.lower()
    assert [match.start for match in found] == sorted({match.start for match in found})


def test_a_long_passage_is_cut_around_its_marks():
    text = "x " * 900 + "moon"
    match = {"start": 1800, "end": 1804}
    shown = passage_as_text({"rank": 1, "id": "d", "score": 1.0, "text": text, "matches": [match]})
    assert "[moon]" in shown and len(shown) < 600


# --- export: the formats are tested beside the programs that read them


def test_the_model_card_says_languages_licences_scores_and_limits(optical, results, tmp_path):
    scores = tmp_path / "scores.tsv"
    rows = ["collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue"]
    rows += [f"atlas\toptical\tsw\t1\t{query}\tAP\t{value}" for query, value in (("q1", 0.5), ("q2", 1.0))]
    rows += ["atlas\toptical\tsw\t2\tq1\tAP\t0.0", "atlas\tmse\tsw\t1\tq1\tAP\t0.0"]
    scores.write_text("\n".join(rows) + "\n", encoding="utf-8")
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments, "--scores", scores)[0] == 0
    card = (tmp_path / "out/README.md").read_text(encoding="utf-8")
    for part in ("- sw\n- en", "| tico19 | 9 | CC0 |", "CC BY 4.0", "| atlas | AP | 0.7500 | 2 |", "12 tokens", "ipot"):
        assert part in card
    assert (tmp_path / "out/query/provenance.json").is_file()
    assert not (tmp_path / "out/document/provenance.json").exists()


@pytest.mark.parametrize(
    ("other", "what"),
    [("mse\tsw\t1", "method: mse, optical"), ("optical\tsw\t2", "seed: 1, 2"), ("optical\tso\t1", "lang: so, sw")],
)
def test_scores_of_several_models_are_not_averaged(optical, results, tmp_path, other, what):
    shutil.copytree(student_of(results), tmp_path / "model")
    scores = tmp_path / "scores.tsv"
    scores.write_text("collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue\natlas\toptical\tsw\t1\tq1\tAP\t0.5\n")
    arguments = ["export", "--teacher", results / "teacher", "--scores", scores, "--model", tmp_path / "model", "--to"]
    assert optical(*arguments, tmp_path / "alone")[0] == 0
    with scores.open("a") as file:
        file.write(f"atlas\t{other}\tq1\tAP\t1.0\n")
    code, _, error = optical(*arguments, tmp_path / "together")
    assert code == 1 and f"more than one {what} [{scores}]. Hint: " in error
    assert not (tmp_path / "together").exists()


def test_what_is_exported_can_be_loaded_again(optical, results, tmp_path):
    arguments = ["export", "--model", student_of(results), "--teacher", results / "teacher", "--to", tmp_path / "out"]
    assert optical(*arguments)[0] == 0
    for name, source in (("query", student_of(results)), ("document", results / "teacher")):
        ours, theirs = load_encoder(source), load_encoder(tmp_path / "out" / name)
        assert ours.settings == theirs.settings
        assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))


# --- languages and doctor


def test_languages_lists_the_config_and_the_whole_table(optical):
    code, output, _ = optical("languages")
    assert code == 0 and output.split("\n")[0].split() == [
        "code",
        "name",
        "script",
        "resource",
        "bitext",
        "collections",
        "students",
    ]
    assert "Swahili" in output and "Zulu" not in output
    every = [json.loads(line) for line in optical("languages", "--all", "--json")[1].splitlines()]
    by_code = {row["code"]: row for row in every}
    assert by_code["zu"]["name"] == "Zulu" and by_code["zu"]["bitext"] == []
    assert by_code["sw"]["collections"] == ["atlas"] and by_code["sw"]["bitext"] == ["atlas"]


def test_languages_reads_a_config_laid_over_the_default(optical):
    rows = optical("languages", "--config", project_folder() / "config/open.yaml", "--json")[1].splitlines()
    by_code = {row["code"]: row for row in map(json.loads, rows)}
    assert by_code["sw"]["collections"] == ["flores", "afriqa"]
    assert by_code["fi"]["collections"] == ["flores"]


def test_languages_knows_where_there_are_english_queries(optical, tmp_path, monkeypatch):
    block = {"reader": "plain", "documents": "d.tsv", "queries": "queries.{lang}.tsv", "qrels": "qrels.txt"}
    by_language = block | {"queries": {"sw": "queries.sw.tsv"}}
    catalogue = {"reader": "ir_datasets", "id": "clirmatrix/en/bi139-base/{lang}/dev"}
    tables = {"mine": block, "named": by_language, "catalogue": catalogue}
    (tmp_path / "mine.yaml").write_text(json.dumps({"collections": ["atlas", *tables], "collection_table": tables}))
    (tmp_path / "config").symlink_to(project_folder() / "config")
    monkeypatch.chdir(tmp_path)

    def english():
        return json.loads(optical("languages", "--config", "mine.yaml", "--json")[1].splitlines()[0])["collections"]

    assert english() == ["atlas"]
    (tmp_path / "queries.en.tsv").touch()
    assert english() == ["atlas", "mine"]


def test_doctor_says_one_line_each_and_succeeds_here(optical):
    code, output, _ = optical("doctor")
    subjects = [line.split()[1] for line in output.splitlines()]
    assert {
        "python",
        "packages",
        "torch",
        "cuda",
        "bf16",
        "memory",
        "disk",
        "snakemake",
        "slurm",
        "conda",
        "network",
    } <= set(subjects)
    assert code == int("BAD" in output)


def test_doctor_fails_where_something_needed_is_missing(optical, monkeypatch):
    monkeypatch.setattr(cli_doctor, "installed", lambda package: None if package == "bm25s" else "999")
    code, output, _ = optical("doctor")
    assert code == 1
    assert "bm25s is missing" in output and "pip install" in output
    assert "torch is 999, not ==2.13.0" in output


def test_doctor_knows_a_mirror(optical, monkeypatch, tmp_path):
    monkeypatch.setattr(cli_doctor, "CHECKS", (cli_doctor.network,))
    monkeypatch.setenv("OPTICAL_MIRROR", str(tmp_path))
    assert optical("doctor")[0] == 0
    monkeypatch.setenv("OPTICAL_MIRROR", str(tmp_path / "gone"))
    code, output, _ = optical("doctor", "--json")
    assert code == 1 and json.loads(output)["state"] == "BAD"


def test_a_container_has_the_memory_of_its_limit(tmp_path):
    limit = tmp_path / "memory.max"
    limit.write_text("1000\n")
    assert cli_doctor.memory_bytes((str(limit),)) == 1000
    limit.write_text("max\n")
    assert cli_doctor.memory_bytes((str(limit), str(tmp_path / "none"))) > 1000
