"""Plain collections, training sets, passages: what is written, and what is refused in one line."""

import gzip
import json
import re
import subprocess
import sys

import pytest

from optical.config.collections import COLLECTION_KINDS, read_collection
from optical.config.readers import reader_of
from optical.config.training_sets import TRAINING_SET_KINDS, CatalogueTrainingSet, read_training_set
from optical.corpora.blocks import query_files
from optical.corpora.passages import document_of_passage
from optical.corpora.readers import READERS, TRAINING_READERS
from optical.errors import ConfigError, DataError
from optical.seals import LIST
from support.prepared import prepare_collection, prepare_training_set
from support.workspace import ROOT

DOCUMENTS = {"d1": "The harbour of Mombasa", "d2": "Coffee grows in Moshi", "d3": "Rain falls in April"}


@pytest.fixture
def plain(tmp_path):
    """Write a small collection and return its block of the config."""
    lines = [json.dumps({"id": key, "text": text}) for key, text in DOCUMENTS.items()]
    (tmp_path / "docs.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "q.en.tsv").write_text("1\twhere is the harbour\n2\twhere does coffee grow\n")
    (tmp_path / "q.sw.tsv").write_text("1\tbandari iko wapi\n2\tkahawa inakua wapi\n")
    (tmp_path / "qrels.txt").write_text("1 0 d1 1\n1 0 d3 0\n2 0 d2 2\n")
    return {
        "reader": "plain",
        "documents": str(tmp_path / "docs.jsonl"),
        "queries": {"en": str(tmp_path / "q.en.tsv"), "sw": str(tmp_path / "q.sw.tsv")},
        "qrels": str(tmp_path / "qrels.txt"),
    }


def append(path, text):
    with open(path, "a") as file:
        file.write(text)


def test_plain_collection_is_written_whole(plain, tmp_path):
    out = tmp_path / "out"
    counts = prepare_collection(plain, ["sw"], out)
    assert counts == {"documents": 3, "split": None, "queries": {"en": 2, "sw": 2}, "relevant": 2}
    assert [json.loads(line)["id"] for line in (out / "documents.jsonl").open()] == ["d1", "d2", "d3"]
    assert (out / "queries" / "sw.tsv").read_text() == "1\tbandari iko wapi\n2\tkahawa inakua wapi\n"
    assert (out / "qrels.txt").read_text() == "1 0 d1 1\n1 0 d3 0\n2 0 d2 2\n"
    assert json.loads((out / "collection.json").read_text()) == counts


def test_documents_without_queries_and_judgements_are_written_alone(plain, tmp_path):
    del plain["queries"], plain["qrels"]
    counts = prepare_collection(plain, ["sw"], tmp_path / "out")
    assert counts == {"documents": 3, "split": None, "queries": {}, "relevant": 0}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [LIST, "collection.json", "documents.jsonl"]


@pytest.mark.parametrize("key", ["queries", "qrels"])
def test_queries_and_judgements_are_given_together(plain, key):
    del plain[key]
    with pytest.raises(ConfigError, match=f"'{key}' is missing .*give queries and qrels, or neither"):
        read_collection(plain, "mine")


def test_documents_may_be_a_compressed_table(plain, tmp_path):
    with gzip.open(tmp_path / "docs.tsv.gz", "wt") as file:
        file.writelines(f"{key}\t{text}\n" for key, text in DOCUMENTS.items())
    prepare_collection(plain, ["sw"], tmp_path / "jsonl")
    prepare_collection(plain | {"documents": str(tmp_path / "docs.tsv.gz")}, ["sw"], tmp_path / "tsv")
    assert (tmp_path / "jsonl/documents.jsonl").read_bytes() == (tmp_path / "tsv/documents.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("docs.jsonl", '{"id": "d1", "text": "again"}\n', r"duplicate document id d1 .*docs\.jsonl, line 4\]"),
        ("docs.jsonl", '{"id": "d 4", "text": "x"}\n', r"'d 4' is empty or has white space .*docs\.jsonl, line 4\]"),
        ("docs.jsonl", '{"id": null, "text": "x"}\n', "line 4 lacks id or text"),
        ("docs.jsonl", '{"id": NaN, "text": "x"}\n', "line 4 lacks id or text"),
        ("docs.jsonl", '{"id": true, "text": "x"}\n', "line 4 lacks id or text"),
        ("docs.jsonl", '{"id": "d4", "text": "x", "title": 5}\n', r"line 4: the title of document d4 .*docs\.jsonl\]"),
        ("docs.jsonl", '{"id": "d4", "text": ["x"]}\n', "line 4: the text of document d4 is not text"),
        ("docs.jsonl", '{"id": "d4", "text": x}\n', "line 4 is not JSON"),
        ("docs.jsonl", '{"id": "d4", "text": "\\ud83d"}\n', r"line 4 holds half of a character, .*docs\.jsonl\]"),
        ("docs.jsonl", '{"id": "\\uDC00", "text": "x"}\n', "line 4 holds half of a character"),
        ("docs.jsonl", '{"docid": "d4", "text": "x"}\n', "line 4 lacks id or text"),
        ("q.sw.tsv", "\n2\ttena\n", r"duplicate sw query id 2 .*q\.sw\.tsv, line 4\]"),
        ("q.sw.tsv", "3\t \n", r"query 3 has no text .*q\.sw\.tsv, line 3\]"),
        ("q.sw.tsv", "3\twapi\tna lini\n", r"line 3 has 3 columns, not two .*q\.sw\.tsv\]"),
        ("q.sw.tsv", "3 no tab\n", "line 3 has 1 tab-separated columns"),
        ("qrels.txt", "2 0 d9 1\n", r"qrels name document d9.*qrels\.txt\]"),
        ("qrels.txt", "9 0 d1 1\n", r"qrels name query 9.*qrels\.txt\]"),
        ("qrels.txt", "1 0 d3 2\n", r"query 1, document d3 is judged twice, 0 and 2 .*qrels\.txt\]"),
        ("qrels.txt", "2 d1 1\n", "line 4 is not a TREC judgement"),
        ("qrels.txt", "2 0 d1 yes\n", "line 4 is not a TREC judgement"),
        ("qrels.txt", "2 0 d1 --1\n", "line 4 is not a TREC judgement"),
        ("qrels.txt", "2 0 d1 ²\n", "line 4 is not a TREC judgement: the grade ² is not a whole number"),
        ("qrels.txt", "2 0 d1 1.5\n", "line 4 is not a TREC judgement: the grade 1.5 is not"),
        (
            "qrels.txt",
            f"2 0 d1 {'7' * 5000}\n",
            "line 4 is not a TREC judgement: the grade 77777777777777777777 is not",
        ),
        ("docs.jsonl", '{"id": "d4", "text": ' + "[" * 99_999, "line 4 is nested too deeply"),
        ("docs.jsonl", '{"id": ' + "7" * 5000 + "}", "line 4 holds a number of too many digits"),
    ],
)
def test_a_bad_collection_is_refused_and_nothing_is_kept(plain, tmp_path, file, text, message):
    append(tmp_path / file, text)
    with pytest.raises(DataError, match=message):
        prepare_collection(plain, ["sw"], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


def test_documents_without_text_are_skipped_and_counted(plain, tmp_path, caplog):
    append(tmp_path / "docs.jsonl", '{"id": "d4", "text": "  ", "title": ""}\n{"id": "d5", "text": "", "title": "x"}\n')
    assert prepare_collection(plain, ["sw"], tmp_path / "out")["documents"] == 4
    assert "1 of 5 documents are skipped: they have no text, as d4" in caplog.text
    append(tmp_path / "qrels.txt", "2 0 d4 1\n")
    with pytest.raises(DataError, match="qrels name document d4, which does not exist or has no text"):
        prepare_collection(plain, ["sw"], tmp_path / "out")
    (tmp_path / "docs.jsonl").write_text('{"id": "d4", "text": ""}\n')
    with pytest.raises(DataError, match="no document has a text"):
        prepare_collection(plain, ["sw"], tmp_path / "out")


def test_a_grade_may_be_written_as_a_whole_float(plain, tmp_path):
    (tmp_path / "qrels.txt").write_text("1 0 d1 1.0\n2 0 d2 0.00\n2 0 d1 2\n")
    prepare_collection(plain, ["sw"], tmp_path / "out")
    assert (tmp_path / "out/qrels.txt").read_text() == "1 0 d1 1\n2 0 d2 0\n2 0 d1 2\n"


def test_a_judgement_that_is_there_twice_counts_once(plain, tmp_path):
    append(tmp_path / "qrels.txt", "1 0 d1 1\n")
    assert prepare_collection(plain, ["sw"], tmp_path / "out")["relevant"] == 2


def test_qrels_without_a_relevant_document_are_refused(plain, tmp_path):
    (tmp_path / "qrels.txt").write_text("1 0 d1 0\n")
    with pytest.raises(DataError, match=r"no judgement says .*qrels\.txt\]"):
        prepare_collection(plain, ["sw"], tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "what"), [("docs.jsonl", "documents"), ("q.sw.tsv", "queries"), ("qrels.txt", "judgements")]
)
@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_file_is_refused_by_its_name(plain, tmp_path, file, what, text):
    (tmp_path / file).write_text(text)
    with pytest.raises(DataError, match=rf"^the file holds no {what} \[.*{re.escape(file)}\]\. Hint: one a line: "):
        prepare_collection(plain, ["sw"], tmp_path / "out")


def test_json_lines_may_begin_with_blank_lines_and_an_array_is_refused_as_one(plain, tmp_path):
    path = tmp_path / "docs.jsonl"
    lines = path.read_text()
    path.write_text(f"\n \n{lines}")
    assert prepare_collection(plain, ["sw"], tmp_path / "out")["documents"] == 3
    for start, separator in (("[", ",\n"), ("[\n", ",\n"), (" [ ", ", ")):
        path.write_text(f"{start}{separator.join(lines.splitlines())}]")
        with pytest.raises(DataError, match=r"this is a JSON array, not JSON Lines .*docs\.jsonl\]") as caught:
            prepare_collection(plain, ["sw"], tmp_path / "other")
        assert "tabs" not in caught.value.hint
    path.write_text("".join(f"[{key}]\t{text}\n" for key, text in DOCUMENTS.items()))
    with pytest.raises(DataError, match="qrels name document d1"):  # a table whose ids have brackets
        prepare_collection(plain, ["sw"], tmp_path / "other")


def test_queries_without_relevant_document_are_dropped_with_a_warning(plain, tmp_path, caplog):
    append(tmp_path / "q.sw.tsv", "3\tnani\n4\tlini\n")
    append(tmp_path / "qrels.txt", "4 0 d1 0\n")
    counts = prepare_collection(plain, ["sw"], tmp_path / "out")
    assert counts["queries"] == {"en": 2, "sw": 2}
    assert "2 of 4 queries in sw have no relevant document" in caplog.text
    assert "4 0" not in (tmp_path / "out/qrels.txt").read_text()


def test_partial_qrels_leave_out_what_is_not_there(plain, tmp_path, caplog):
    append(tmp_path / "qrels.txt", "2 0 d9 1\n9 0 d1 1\n")
    counts = prepare_collection(plain | {"partial_qrels": True}, ["sw"], tmp_path / "out")
    assert counts["relevant"] == 2
    assert "2 of 5 judgements left out" in caplog.text


def test_a_missing_language_is_a_config_error(plain, tmp_path):
    with pytest.raises(ConfigError, match="no queries in so"):
        prepare_collection(plain, ["sw", "so"], tmp_path / "out")


def test_several_files_of_a_language_are_refused_where_one_is_read(plain, tmp_path):
    queries = {"sw": [plain["queries"]["sw"], plain["queries"]["en"]]}
    with pytest.raises(ConfigError, match=r"is not text \[collection\.queries\.sw\]"):  # by the config, before any job
        prepare_collection(plain | {"queries": queries}, ["sw"], tmp_path / "out")
    with pytest.raises(ConfigError, match="several files of sw"):  # for a reader whose class admits lists
        query_files(queries, ["sw"])


def test_english_is_optional_unless_it_is_all_there_is(plain, tmp_path):
    foreign = plain | {"queries": {"sw": plain["queries"]["sw"]}}
    assert prepare_collection(foreign, ["en", "sw"], tmp_path / "sw")["queries"] == {"sw": 2}
    assert prepare_collection(plain, ["en"], tmp_path / "en")["queries"] == {"en": 2}
    with pytest.raises(ConfigError, match="no queries in en"):
        prepare_collection(foreign, ["en"], tmp_path / "out")


def test_every_block_of_the_config_has_a_function_that_reads_it():
    assert list(READERS) == [reader_of(kind) for kind in COLLECTION_KINDS]
    assert list(TRAINING_READERS) == [reader_of(kind) for kind in TRAINING_SET_KINDS]


@pytest.mark.parametrize(
    ("read", "changes", "message"),
    [
        (
            read_collection,
            {"partial_qerls": 1},
            "unknown key 'partial_qerls' [mine]. Hint: did you mean partial_qrels?",
        ),
        (read_collection, {"reader": "csv"}, "unknown reader 'csv' [mine]. Hint: known are "),
        (read_collection, {"qrels": None}, "'qrels' is missing [mine]. Hint: give queries and qrels"),
        (read_training_set, {"max_triple": 1}, "unknown key 'max_triple' [mine]. Hint: did you mean max_triples?"),
        (read_training_set, {"qrels": None}, "'triples' is missing [mine]. Hint: triples: ids of a query"),
    ],
)
def test_a_block_that_its_reader_cannot_read_is_refused(plain, read, changes, message):
    with pytest.raises(ConfigError) as caught:
        read(plain | {"queries": plain["queries"]["en"]} | changes, "mine")
    assert str(caught.value).startswith(message)


def test_keys_of_the_reader_that_a_block_had_before_are_left_out(plain):
    changed = plain | {"reader": "ir_datasets", "id": "vaswani"}
    assert read_training_set(changed) == CatalogueTrainingSet(reader="ir_datasets", id="vaswani")


def test_split_documents_keep_document_judgements(plain, tmp_path):
    prepare_collection(plain | {"split": {"length": 3, "stride": 2}}, ["sw"], tmp_path / "out")
    passages = [json.loads(line) for line in (tmp_path / "out/documents.jsonl").open()]
    assert [p["id"] for p in passages] == ["d1#0", "d1#1", "d2#0", "d2#1", "d3#0", "d3#1"]
    assert passages[1]["text"] == "of Mombasa"
    assert {document_of_passage(p["id"]) for p in passages} == set(DOCUMENTS)
    assert "1 0 d1 1" in (tmp_path / "out/qrels.txt").read_text()


@pytest.fixture
def training(plain, tmp_path):
    """Write triples for the small collection and return the training block."""
    (tmp_path / "triples.tsv").write_text("1\td1\td2\n2\td2\td1\td3\n1\td1\n")
    return {
        "reader": "plain",
        "documents": plain["documents"],
        "queries": plain["queries"]["en"],
        "triples": str(tmp_path / "triples.tsv"),
    }


def test_triples_are_copied_and_checked(training, tmp_path):
    assert prepare_training_set(training, tmp_path / "out") == {"documents": 3, "queries": 2, "triples": 3}
    assert (tmp_path / "out/triples.tsv").read_text() == (tmp_path / "triples.tsv").read_text()


def test_a_limited_training_set_holds_only_what_its_triples_name(training, tmp_path):
    counts = prepare_training_set(training | {"max_triples": 1}, tmp_path / "out")
    assert counts == {"documents": 2, "queries": 1, "triples": 1}
    assert (tmp_path / "out/queries.tsv").read_text() == "1\twhere is the harbour\n"


def test_blank_lines_among_triples_are_skipped(training, tmp_path):
    path = tmp_path / "triples.tsv"
    prepare_training_set(training, tmp_path / "plain")
    path.write_text("\n" + path.read_text() + "\n")
    assert prepare_training_set(training, tmp_path / "blank")["triples"] == 3
    assert (tmp_path / "blank/triples.tsv").read_bytes() == (tmp_path / "plain/triples.tsv").read_bytes()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7\td1\td2\n", "triple 4 names query 7"),
        ("1\td1\td2\td9\n", "triple 4 names document d9"),
        ("1\td1\t\n", "line 4 is not a triple"),
        ("1\n", "line 4 is not a triple"),
        ("1\td1\td2\td1\n", "triple 4 of query 1 has document d1 as relevant and as not"),
    ],
)
def test_a_triple_with_a_missing_id_is_named_by_line(training, tmp_path, line, message):
    append(tmp_path / "triples.tsv", line)
    with pytest.raises(DataError, match=message) as caught:
        prepare_training_set(training, tmp_path / "out")
    assert str(tmp_path / "triples.tsv") in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("file", "line"), [("docs.jsonl", '{"id": "d1", "text": "x"}'), ("q.en.tsv", "1\tx")])
def test_an_id_that_is_twice_in_a_training_set_is_named_by_line(training, tmp_path, file, line):
    append(tmp_path / file, f"{line}\n")
    count = len((tmp_path / file).read_text().splitlines())
    with pytest.raises(DataError, match=rf"^duplicate \w+ id d?1 \[.*{re.escape(file)}, line {count}\]"):
        prepare_training_set(training, tmp_path / "out")


def test_pairs_of_qrels_that_name_a_missing_document_are_told_by_the_file(training, plain, tmp_path):
    append(tmp_path / "qrels.txt", "2 0 d9 1\n")
    block = {key: value for key, value in training.items() if key != "triples"} | {"qrels": plain["qrels"]}
    with pytest.raises(DataError, match=r"names document d9, which does not exist or has no text \[.*qrels\.txt\]"):
        prepare_training_set(block, tmp_path / "out")


def test_an_empty_triples_file_is_refused(training, tmp_path):
    (tmp_path / "triples.tsv").write_text("")
    with pytest.raises(DataError, match="not one training triple"):
        prepare_training_set(training, tmp_path / "out")


def test_qrels_make_pairs_and_judged_negatives(training, plain, tmp_path):
    block = {key: value for key, value in training.items() if key != "triples"} | {"qrels": plain["qrels"]}
    prepare_training_set(block, tmp_path / "pairs")
    assert (tmp_path / "pairs/triples.tsv").read_text() == "1\td1\n2\td2\n"
    prepare_training_set(block | {"negatives": 1}, tmp_path / "negatives")
    assert (tmp_path / "negatives/triples.tsv").read_text() == "1\td1\td3\n2\td2\n"
    prepare_training_set(block | {"min_grade": 2}, tmp_path / "graded")
    assert (tmp_path / "graded/triples.tsv").read_text() == "2\td2\n"


@pytest.mark.parametrize("order", [(0, 1, 2, 3, 4), (0, 2, 1, 3, 4), (4, 0, 3, 2, 1)])
def test_negatives_do_not_depend_on_the_order_of_judgements(training, plain, tmp_path, order):
    rows = ["1 0 d1 1\n", "2 0 d2 1\n", "1 0 d3 0\n", "2 0 d1 0\n", "1 0 d1 1\n"]
    (tmp_path / "qrels.txt").write_text("".join(rows[place] for place in order))
    block = {key: value for key, value in training.items() if key != "triples"} | {"qrels": plain["qrels"]}
    prepare_training_set(block | {"negatives": 1}, tmp_path / "out")
    assert (tmp_path / "out/triples.tsv").read_text() == "1\td1\td3\n2\td2\td1\n"


@pytest.mark.parametrize("between", ["", "2 0 d2 1\n"])
def test_judgements_that_contradict_one_another_make_no_triple(training, plain, tmp_path, between):
    (tmp_path / "qrels.txt").write_text(f"1 0 d1 1\n{between}1 0 d1 0\n")
    block = {key: value for key, value in training.items() if key != "triples"} | {"qrels": plain["qrels"]}
    with pytest.raises(DataError, match=r"query 1, document d1 is judged twice, 1 and 0 .*qrels\.txt\]"):
        prepare_training_set(block | {"negatives": 1}, tmp_path / "out")


def test_a_training_query_without_text_is_refused(training, tmp_path):
    (tmp_path / "q.en.tsv").write_text("1\t \n2\tx\n")
    with pytest.raises(DataError, match=r"query 1 has no text .*q\.en\.tsv, line 1\]"):
        prepare_training_set(training, tmp_path / "out")


def test_swapped_sides_turn_documents_into_queries(training, plain, tmp_path):
    block = {key: value for key, value in training.items() if key != "triples"} | {"qrels": plain["qrels"]}
    prepare_training_set(block | {"swap": True, "query_words": 2}, tmp_path / "out")
    assert (tmp_path / "out/triples.tsv").read_text() == "d1\t1\nd2\t2\n"
    assert (tmp_path / "out/queries.tsv").read_text() == "d1\tThe harbour\nd2\tCoffee grows\n"
    documents = [json.loads(line) for line in (tmp_path / "out/documents.jsonl").open()]
    assert documents[0] == {"id": "1", "text": "where is the harbour"}
    with pytest.raises(ConfigError, match="cannot serve with swapped sides"):
        prepare_training_set(block | {"swap": True, "negatives": 1}, tmp_path / "out")


MEASURE = """
import re, sys
from optical.config.training_sets import read_training_set
from optical.corpora.readers import prepare_training_set
from optical.training.triples import write_triples
folder, lines = sys.argv[1], int(sys.argv[2])
with open(f"{folder}/triples.tsv", "w") as file:
    for k in range(lines):
        file.write(f"{k % 100}\\t{k % 1000}\\t{(k + 1) % 1000}\\n")
block = {"reader": "plain", "documents": f"{folder}/docs.tsv", "queries": f"{folder}/q.tsv"}
block = read_training_set(block | {"triples": f"{folder}/triples.tsv"})
counts = prepare_training_set(block, f"{folder}/out")
rows = [{str(k): k for k in range(count)} for count in (100, 1000)]
assert counts["triples"] == write_triples(f"{folder}/rows", f"{folder}/out/triples.tsv", *rows) == lines
# not ru_maxrss, which begins with what the parent had
print(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def test_memory_does_not_grow_with_the_triples(tmp_path):
    (tmp_path / "docs.tsv").write_text("".join(f"{k}\tdocument\n" for k in range(1000)))
    (tmp_path / "q.tsv").write_text("".join(f"{k}\tquery\n" for k in range(100)))
    library = ROOT / "workflow/scripts"
    kilobytes = [
        int(
            subprocess.run(
                [sys.executable, "-c", MEASURE, str(tmp_path), str(lines)],
                cwd=library,
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for lines in (200_000, 2_000_000)
    ]
    assert kilobytes[1] - kilobytes[0] < 2_000, kilobytes  # two million triples in memory would take over 300 MB
