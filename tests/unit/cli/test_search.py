"""`optical search`: rankings, marked words, and which documents and models it finds."""

import json
import os
import re
import shutil

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Metaspace

from optical.cli.search import passage_as_text
from optical.config.project import project_folder
from optical.corpora.passages import text_of
from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.runtime.provenance import content_hash
from optical.search.encoding import encode_documents
from optical.search.matches import matches
from optical.search.parts import read_part
from optical.search.runs import read_run
from optical.text.tokeniser import train_tokeniser
from support.tiny_models import TEXTS
from support.toy_results import DOCUMENTS, student_of


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


def test_search_takes_a_folder_and_a_name_alike(optical, results, monkeypatch):
    name = optical("search", "--results", results, "--collection", "atlas", "--lang", "sw", "swali", "--json")
    folder = optical("search", "--collection", results / "collections/atlas", "--lang", "sw", "swali", "--json")
    assert name == folder and name[0] == 0
    monkeypatch.chdir(results / "collections/atlas")
    assert optical("search", "--collection", ".", "--lang", "sw", "swali", "--json") == name


def documents_of(results):
    return results / "collections/atlas/documents.jsonl"


def test_search_reads_a_collection_that_was_encoded_in_parts(optical, results, tmp_path):
    arguments = ["search", "--lang", "sw", "swali", "--json", "--collection", "atlas", "--results"]
    shutil.copytree(results, tmp_path / "results")
    shutil.rmtree(tmp_path / "results/vectors")
    for number in range(1, 4):
        documents = read_part(documents_of(results), (number, 3))
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
    old = tmp_path / "results/vectors/atlas"
    encode_documents(load_encoder(results / "teacher"), read_part(documents_of(results), (1, 3)), DOCUMENT, old)
    os.utime(old, (1, 1))
    assert scores(tmp_path / "results") == whole
    os.utime(old)
    assert scores(tmp_path / "results").keys() < scores(results).keys()


def test_a_student_that_reads_documents_searches_what_it_read(optical, results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    own = tmp_path / "results/model_vectors/atlas/students/sw/optical/1"
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


def test_passages_in_another_language_are_those_that_its_student_read(optical, results, tmp_path):
    shutil.copytree(results, tmp_path / "results")
    german = tmp_path / "results/students/de/optical/1"
    shutil.copytree(student_of(results), german)
    vectors = tmp_path / "results/model_vectors/atlas/students/de/optical/1"
    documents = read_part(results / "collections/atlas/documents.jsonl", (1, 1))
    encode_documents(load_encoder(german), documents, DOCUMENT, vectors, made_by=content_hash(german))
    arguments = ["search", "swali", "--json", "--collection", "atlas"]
    for lang in ("sw", "en"):
        told = [
            optical(*arguments, "--lang", lang, "--results", folder)[1] for folder in (tmp_path / "results", results)
        ]
        first, second = ([passage["score"] for passage in json.loads(text)["passages"]] for text in told)
        assert first != second, lang
    (german / "model.safetensors").write_bytes(b"trained again")
    assert "made from another model" in optical(*arguments, "--lang", "sw", "--results", tmp_path / "results")[2]


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


def test_a_run_says_how_deep_it_is_and_is_as_deep_as_a_run_of_the_workflow(optical, results, tmp_path):
    queries = results / "collections/atlas/queries/sw.tsv"
    arguments = ["search", "--results", results, "--collection", "atlas", "--lang", "sw", "--queries", queries]
    run = tmp_path / "run.trec"
    assert "2 queries, at most 1000 passages each" in optical(*arguments, "--out", run)[1]
    assert [len(hits) for _, hits in read_run(run).items()] == [len(DOCUMENTS)] * 2
    assert "2 queries, at most 3 passages each" in optical(*arguments, "--out", run, "--top", 3)[1]
    assert [len(hits) for _, hits in read_run(run).items()] == [3, 3]


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
    content_L = encoder.content_mask(ids_L[None], torch.ones_like(ids_L)[None], DOCUMENT)[0]
    query_MD = torch.nn.functional.normalize(torch.randn(4, encoder.dimension), dim=-1)
    found = matches(encoder, encoder.tokeniser, list("abcd"), query_MD, text, document_LD.numpy())
    best = (query_MD @ document_LD[content_L].T).argmax(dim=1)
    for token, index in zip("abcd", best, strict=True):
        piece = encoder.tokeniser.id_to_token(int(ids_L[content_L][index])).removeprefix("##")
        (word,) = [text[match.start : match.end] for match in found if token in match.query_tokens]
        assert piece == "[UNK]" or piece in word.lower()
    assert [match.start for match in found] == sorted({match.start for match in found})


def test_a_marked_word_has_no_space_at_its_beginning(results):
    encoder = load_encoder(results / "teacher")
    tokeniser = Tokenizer(WordLevel({"▁the": 1000, "▁moon": 1001}, unk_token="▁the"))
    tokeniser.pre_tokenizer = Metaspace()
    assert tokeniser.encode("the moon").offsets == [(0, 3), (3, 8)]
    before = len(encoder.before(DOCUMENT))
    document_LD = np.eye(before + 3, encoder.dimension, dtype=np.float32)
    (found,) = matches(
        encoder, tokeniser, ["mwezi"], torch.from_numpy(document_LD[before + 1 :][:1]), "the moon", document_LD
    )
    assert (found.start, found.end, found.query_tokens) == (4, 8, ["mwezi"])


def test_a_sign_of_which_the_tokeniser_makes_several_words_is_marked_once(results):
    encoder, text = load_encoder(results / "teacher"), "the river ℅ the moon"
    ((_, document_LD, ids_L),) = encoder.encode([text], DOCUMENT)
    content_L = encoder.content_mask(ids_L[None], torch.ones_like(ids_L)[None], DOCUMENT)[0]
    words = encoder.tokeniser.encode(text, add_special_tokens=False).word_ids
    assert len(set(words)) > len(text.split()), "c, / and o"
    query = [str(number) for number in range(int(content_L.sum()))]
    found = matches(encoder, encoder.tokeniser, query, document_LD[content_L], text, document_LD.numpy())
    assert [text[match.start : match.end] for match in found] == text.split()
    assert sorted(token for match in found for token in match.query_tokens) == sorted(query)


def test_a_long_passage_is_cut_around_its_marks():
    text = "x " * 900 + "moon"
    match = {"start": 1800, "end": 1804}
    shown = passage_as_text({"rank": 1, "id": "d", "score": 1.0, "text": text, "matches": [match]})
    assert "[moon]" in shown and len(shown) < 600


def test_ranks_of_words_are_joined_to_those_of_vectors(optical, results, tmp_path):
    search = ["search", "--collection", "atlas", "--results", results, "--lang", "sw", "--top", "9", "--json"]
    alone = json.loads(optical(*search, "river north")[1])["passages"]
    joined = json.loads(optical(*search, "--fuse", "bm25", "river north")[1])["passages"]
    rank_of = {passage["id"]: passage["rank"] for passage in alone}
    found = {passage["id"]: passage["score"] for passage in joined}
    assert found["d1"] == pytest.approx(1 / (60 + rank_of["d1"]) + 1 / 61, abs=1e-6)  # the only one with both words
    assert found["d4"] == pytest.approx(1 / (60 + rank_of["d4"]), abs=1e-6)
    code, _, error = optical(*search, "--fuse", "smt", "mto")
    assert code == 1 and "no table of word translations" in error and "snakemake" in error
    (results / "lexical_tables").mkdir()
    (results / "lexical_tables/sw.tsv").write_text("mto\triver\t1.0\n")
    translated = json.loads(optical(*search, "--fuse", "smt", "mto")[1])["passages"]
    assert {passage["id"]: passage["score"] for passage in translated}["d1"] > 1 / 61
    queries = results / "collections/atlas/queries/sw.tsv"
    assert optical(*search, "--fuse", "bm25", "--queries", queries, "--out", tmp_path / "run")[0] == 0
    for hits in read_run(tmp_path / "run").values():  # all digits: deep ranks differ by less than six decimals show
        assert any(score != round(score, 6) for _, score in hits)


def test_a_search_among_no_passages_and_words_of_no_language(optical, results, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "docs.tsv").write_text("d1\tthe river\n", encoding="utf-8")
    search = ["search", "--documents", tmp_path / "docs.tsv", "--model", results / "teacher", "mto", "--json"]
    code, output, error = optical(*search, "--fuse", "bm25", "--where", "source=news")
    assert (code, error, json.loads(output)["passages"]) == (0, "", [])
    code, _, error = optical(*search, "--fuse", "smt")
    assert code == 2 and "which language? [--lang]" in error
    assert optical(*search, "--out", tmp_path / "run")[0] == 0
    assert (tmp_path / "run").read_text().split()[-1] == "teacher"
