"""AfriQA, FLORES articles, Belebele, Multi30k, MTOP, MIRACL's slice and MMLU in small invented files of their form."""

import json

import pytest

from optical.bitext.readers import read_bitext
from optical.config.bitext import BitextSource
from optical.corpora.choices import read_mmlu, read_parallel_questions
from optical.corpora.mtop import mtop_pairs
from optical.errors import ConfigError, DataError
from optical.evaluation.measures import evaluate, read_judgments
from support.prepared import prepare_collection, prepare_training_set


def write_jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


def write_lines(path, lines):
    path.write_text("".join(line + "\n" for line in lines))
    return str(path)


def documents_of(folder):
    return [json.loads(line) for line in (folder / "documents.jsonl").open()]


def rows_of(path):
    return [line.split("\t") for line in path.read_text().splitlines()]


def gold(number, foreign, english, context, title="Page"):
    return {
        "id": str(number),
        "question_lang": foreign,
        "question_translated": english,
        "context": context,
        "title": title,
    }


@pytest.fixture
def afriqa(tmp_path):
    """Write gold-passage files: Swahili test, and train of two other languages."""
    swahili = [
        gold(0, "Mto gani ni mrefu?", "Which river is long?", "The Ruvu is a long river."),
        gold(1, "Nani alijenga bandari?", "Who built the port?", "The port was built by masons.", title=None),
        gold(2, "Lini?", "When?", None),
    ]
    bemba = [
        gold(0, "Umulonga nshi?", "Which river is LONG", "Another passage on rivers."),
        gold(1, "Ni bani?", "Who sings?", "The  Ruvu is a long river."),
        gold(2, "Ni kwisa?", "Where is the school?", "The school stands on a hill."),
        gold(3, "Cinshi?", "What?", None),
    ]
    zulu = [
        gold(0, "Sikuphi isikole?", "Where is the school?", "The school stands on a  hill."),
        gold(1, "Iphi indawo?", "Where is the school?", "Schools are found in every ward."),
    ]
    return {name: write_jsonl(tmp_path / name, rows) for name, rows in [("sw", swahili), ("bem", bemba), ("zu", zulu)]}


def test_afriqa_collection_joins_the_passages_of_all_languages(afriqa, tmp_path):
    block = {"reader": "afriqa", "questions": {"sw": afriqa["sw"]}, "passages": [afriqa["bem"], afriqa["zu"]]}
    counts = prepare_collection(block, ["sw"], tmp_path / "out")
    assert counts["documents"] == 5  # the texts that differ in spacing alone are one
    assert counts["queries"] == {"en": 2, "sw": 2}
    documents = {document["id"]: document for document in documents_of(tmp_path / "out")}
    relevant = {line.split()[0]: line.split()[2] for line in (tmp_path / "out/qrels.txt").open()}
    assert documents[relevant["0"]]["text"] == "The Ruvu is a long river."
    assert documents[relevant["0"]]["title"] == "Page"
    assert "title" not in documents[relevant["1"]]
    assert rows_of(tmp_path / "out/queries/sw.tsv")[1] == ["1", "Nani alijenga bandari?"]
    assert rows_of(tmp_path / "out/queries/en.tsv")[1] == ["1", "Who built the port?"]


def test_afriqa_pairs_share_neither_question_nor_passage_with_the_test(afriqa, tmp_path):
    block = {"reader": "afriqa", "pairs": [afriqa["bem"], afriqa["zu"]], "held_out": afriqa["sw"]}
    assert prepare_training_set(block, tmp_path / "out") == {"documents": 2, "queries": 1, "triples": 2}
    assert rows_of(tmp_path / "out/queries.tsv") == [["q0", "Where is the school?"]]
    assert all(len(row) == 2 for row in rows_of(tmp_path / "out/triples.tsv"))


def test_afriqa_refuses_other_files(afriqa, tmp_path):
    other = write_jsonl(tmp_path / "other", [{"question": "?"}])
    with pytest.raises(DataError, match="not a gold-passage file"):
        prepare_collection({"reader": "afriqa", "questions": {"sw": other}}, ["sw"], tmp_path / "out")


@pytest.fixture
def flores(tmp_path):
    """Write sixty articles of one to five sentences."""
    lengths = [1 + k % 5 for k in range(60)]
    urls = [f"https://example.org/{k}" for k, length in enumerate(lengths) for _ in range(length)]
    sentences = {
        lang: write_lines(tmp_path / f"{lang}.txt", [f"{lang} sentence {n}" for n in range(len(urls))])
        for lang in ("en", "fi")
    }
    metadata = write_lines(tmp_path / "metadata.tsv", ["URL\tdomain", *(f"{url}\twikinews" for url in urls)])
    return {"reader": "flores_articles", "sentences": sentences, "metadata": metadata}


def test_flores_parts_split_the_articles_and_no_query_is_in_a_document(flores, tmp_path):
    queries = {}
    for part in ("dev", "test"):
        prepare_collection(flores | {"part": part}, ["fi"], tmp_path / part)
        queries[part] = rows_of(tmp_path / part / "queries/fi.tsv")
    assert (tmp_path / "dev/documents.jsonl").read_bytes() == (tmp_path / "test/documents.jsonl").read_bytes()
    assert not {q for q, _ in queries["dev"]} & {q for q, _ in queries["test"]}
    # articles of 2, 3, 4 and 5 sentences give 1, 2, 2 and 3 queries, twelve articles of each
    assert len(queries["dev"]) + len(queries["test"]) == 12 * (1 + 2 + 2 + 3)
    assert min(len(rows) for rows in queries.values()) > 20
    words = " ".join(document["text"] for document in documents_of(tmp_path / "dev")).split()
    in_documents = {int(word) for word in words if word.isdigit()}
    in_queries = {int(text.split()[-1]) for rows in queries.values() for _, text in rows}
    assert not in_documents & in_queries
    assert len(in_documents | in_queries) == 180
    assert queries["dev"][0][1].startswith("fi sentence")


def test_flores_parts_depend_on_the_seed_and_files_must_match(flores, tmp_path):
    prepare_collection(flores, ["fi"], tmp_path / "zero")
    prepare_collection(flores | {"seed": 1}, ["fi"], tmp_path / "one")
    assert (tmp_path / "zero/qrels.txt").read_text() != (tmp_path / "one/qrels.txt").read_text()
    with open(flores["sentences"]["fi"], "a") as file:
        file.write("one more\n")
    with pytest.raises(DataError, match="181 sentences in fi, but 180 rows of metadata"):
        prepare_collection(flores, ["fi"], tmp_path / "out")


def belebele_row(text, questions):
    answers = [{"text": f"{text} {k}", "correct": k == 2} for k in range(4)]
    return {"text": text, "items": [{"question": question, "answers": answers} for question in questions]}


def test_belebele_asks_in_german_for_english_passages(tmp_path):
    files = {
        "en": write_jsonl(tmp_path / "en", [belebele_row("One.", ["A?", "B?"]), belebele_row("Two.", ["C?"])]),
        "de": write_jsonl(tmp_path / "de", [belebele_row("Eins.", ["Ä?", "B?"]), belebele_row("Zwei.", ["C?"])]),
    }
    prepare_collection({"reader": "belebele", "questions": files}, ["de"], tmp_path / "out")
    assert [document["text"] for document in documents_of(tmp_path / "out")] == ["One.", "Two."]
    assert rows_of(tmp_path / "out/queries/de.tsv")[0] == ["b0-0", "Ä?"]
    assert (tmp_path / "out/qrels.txt").read_text() == "b0-0 0 b0 1\nb0-1 0 b0 1\nb1-0 0 b1 1\n"
    questions = read_parallel_questions(files, "belebele")
    assert questions["de"][2].text == "C? Zwei."
    assert questions["de"][2].answer == 2
    write_jsonl(tmp_path / "de", [belebele_row("Eins.", ["Ä?"]), belebele_row("Zwei.", ["C?", "D?"])])
    with pytest.raises(DataError, match="do not run parallel"):
        prepare_collection({"reader": "belebele", "questions": files}, ["de"], tmp_path / "out")


@pytest.fixture
def multi30k(tmp_path):
    """Write two images with two English captions, one translation each, and two German captions."""
    return {
        "reader": "multi30k",
        "images": write_lines(tmp_path / "images", ["11.jpg", "COCO_22.jpg#3"]),
        "captions": [
            write_lines(tmp_path / "en1", ["A cat sleeps.", "Two men row."]),
            write_lines(tmp_path / "en2", ["A grey cat", "A boat on a lake"]),
        ],
        "queries": {
            "en": write_lines(tmp_path / "en", ["A grey cat", "Two men row"]),
            "fr": write_lines(tmp_path / "fr", ["Un chat gris", "Deux hommes rament"]),
            "de": [write_lines(tmp_path / f"de{k}", [f"Katze {k}", f"Boot {k}"]) for k in (1, 2)],
        },
    }


def test_multi30k_captions_of_the_image_are_relevant(multi30k, tmp_path):
    counts = prepare_collection(multi30k, ["de", "fr"], tmp_path / "out")
    assert counts == {"documents": 4, "split": None, "queries": {"en": 2, "de": 4, "fr": 2}, "relevant": 12}
    qrels = [line.split() for line in (tmp_path / "out/qrels.txt").open()]
    assert {document for query, _, document, _ in qrels if query == "COCO_22-2"} == {"COCO_22-en1", "COCO_22-en2"}
    assert rows_of(tmp_path / "out/queries/de.tsv")[2] == ["11-2", "Katze 2"]


def test_multi30k_can_leave_out_the_caption_that_was_translated(multi30k, tmp_path):
    prepare_collection(multi30k | {"leave_out_source": True}, ["fr"], tmp_path / "out")
    assert [document["text"] for document in documents_of(tmp_path / "out")] == ["A cat sleeps.", "A boat on a lake"]


def test_multi30k_pairs_hold_no_test_image(multi30k, tmp_path):
    block = {key: multi30k[key] for key in ("reader", "captions", "images")}
    test_images = write_lines(tmp_path / "test", ["33.jpg"])
    prepare_training_set(block | {"held_out_images": test_images}, tmp_path / "out")
    assert rows_of(tmp_path / "out/triples.tsv") == [["11", "11-en2"], ["COCO_22", "COCO_22-en2"]]
    with pytest.raises(DataError, match="1 training images are test images"):
        prepare_training_set(block | {"held_out_images": write_lines(tmp_path / "test", ["11.jpg"])}, tmp_path / "out")


def test_multi30k_pairs_hold_no_caption_that_reads_like_one_of_the_test(multi30k, tmp_path):
    block = {key: multi30k[key] for key in ("reader", "captions", "images")}
    held_out = write_lines(tmp_path / "test", ["two men ROW"])
    prepare_training_set(block | {"held_out": [held_out]}, tmp_path / "out")
    assert rows_of(tmp_path / "out/queries.tsv") == [["11", "A cat sleeps."]]
    assert rows_of(tmp_path / "out/triples.tsv") == [["11", "11-en2"]]


def test_multi30k_files_must_have_a_line_an_image(multi30k, tmp_path):
    write_lines(tmp_path / "en2", ["A grey cat"])
    with pytest.raises(DataError, match="1 captions for 2 images"):
        prepare_collection(multi30k, ["fr"], tmp_path / "out")


@pytest.fixture
def mtop(tmp_path):
    """Write three utterances of two intents; two of them read the same in English."""
    rows = [("1", "CALL", "ring Ann", "ruf Ann an"), ("2", "ALARM", "wake me", "weck mich")]
    rows += [("3", "CALL", "ring Ann", "Ann anrufen")]
    utterances = [
        {
            "id": key,
            "mr": {"slot_intent": {"en": f"[IN:{intent} ]", "de": f"[IN:{intent} ]"}},
            "question": {"en": en, "de": de},
        }
        for key, intent, en, de in rows
    ]
    (tmp_path / "mtop.json").write_text(json.dumps(utterances))
    return {"reader": "mtop", "utterances": str(tmp_path / "mtop.json")}


@pytest.mark.parametrize(
    ("settings", "relevant"),
    [
        ({}, {("1", "1"), ("1", "3"), ("2", "2"), ("3", "1"), ("3", "3")}),
        ({"document_language": "de"}, {("1", "1"), ("2", "2"), ("3", "3")}),
        (
            {"document_language": "de", "relevance": "intent"},
            {("1", "1"), ("1", "3"), ("2", "2"), ("3", "1"), ("3", "3")},
        ),
    ],
)
def test_mtop_relevance(mtop, tmp_path, settings, relevant):
    prepare_collection(mtop | settings, ["de"], tmp_path / "out")
    qrels = [line.split() for line in (tmp_path / "out/qrels.txt").open()]
    assert {(query, document) for query, _, document, _ in qrels} == relevant


def test_mtop_pairs_and_missing_languages(mtop, tmp_path):
    assert next(mtop_pairs(mtop["utterances"], "en", {"de", "deu"})) == ("ring Ann", "ruf Ann an")
    with pytest.raises(DataError, match="utterance 1 is not there in fi"):
        prepare_collection(mtop, ["fi"], tmp_path / "out")


def test_mtop_serves_as_bitext_between_any_two_of_its_languages(mtop):
    pairs = read_bitext(BitextSource(mtop=mtop["utterances"], english_side="de"), {"en", "eng"})
    assert [tuple(pair[:2]) for pair in pairs][1] == ("weck mich", "wake me")
    with pytest.raises(DataError, match="no utterances in fi"):
        list(read_bitext(BitextSource(mtop=mtop["utterances"]), {"fi"}))


def test_mtop_triples_join_an_intent_and_part_two(mtop, tmp_path):
    block = {"reader": "mtop", "utterances": mtop["utterances"], "language": "de", "triples_each": 2}
    prepare_training_set(block, tmp_path / "all")
    assert sorted(rows_of(tmp_path / "all/triples.tsv")) == [["1", "3", "2"]] * 2 + [["3", "1", "2"]] * 2
    held_out = tmp_path / "test.json"
    held_out.write_text(json.dumps([{"id": "9", "question": {"de": "Weck mich!"}}]))
    with pytest.raises(DataError):  # without the utterance of the other intent there is nothing to tell apart
        prepare_training_set(block | {"held_out": [str(held_out)]}, tmp_path / "few")


def test_miracl_slice_keeps_topics_that_are_tydi_questions(tmp_path):
    paragraphs = [
        {"context": "Ziwa ni kubwa.", "qas": [{"question": "Je, ziwa ni kubwa?"}]},
        {"context": "Ziwa lina samaki.", "qas": [{"question": "je ziwa ni kubwa"}, {"question": "Samaki wapi?"}]},
    ]
    (tmp_path / "tydi.json").write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    block = {
        "reader": "miracl_swahili",
        "topics": write_lines(tmp_path / "topics.tsv", ["6\tJe,ziwa ni kubwa?", "8\tMlima upi?", "9\tSamaki wapi?"]),
        "passages": str(tmp_path / "tydi.json"),
    }
    counts = prepare_collection(block, ["sw"], tmp_path / "out")
    assert counts == {"documents": 2, "split": None, "queries": {"sw": 2}, "relevant": 3}
    with pytest.raises(ConfigError, match="has one language"):
        prepare_collection(block, ["sw", "so"], tmp_path / "out")


def test_mmlu_rows_are_read_and_checked(tmp_path):
    (tmp_path / "en.csv").write_text('"Which bone, exactly?",rib,"hip, left",jaw,shin,B\nWhich sense?,a,b,c,d,D\n')
    (tmp_path / "zu.csv").write_text("Yiliphi ithambo?,a,b,c,d,B\nYimuphi umuzwa?,a,b,c,d,A\n")
    first = read_mmlu(tmp_path / "en.csv")[0]
    assert first == ("Which bone, exactly?", ["rib", "hip, left", "jaw", "shin"], 1)
    with pytest.raises(DataError, match="do not run parallel to those in en"):
        read_parallel_questions({"en": str(tmp_path / "en.csv"), "zu": str(tmp_path / "zu.csv")}, "mmlu")
    (tmp_path / "bad.csv").write_text("Which bone?,rib,hip,jaw,shin,E\n")
    with pytest.raises(DataError, match="row 1 is no question"):
        read_mmlu(tmp_path / "bad.csv")


def test_the_options_of_a_question_are_what_is_judged(tmp_path):
    (tmp_path / "a.csv").write_text("Which bone?,rib,hip,jaw,shin,C\n")
    (tmp_path / "b.csv").write_text("Which organ?,liver,lung,skin,heart,A\n")
    (tmp_path / "zu.csv").write_text("Yiliphi ithambo?,ubambo,inqulu,umhlathi,ugongolo,C\nYisiphi isitho?,a,b,c,d,A\n")
    questions = {"en": [str(tmp_path / "a.csv"), str(tmp_path / "b.csv")], "zu": str(tmp_path / "zu.csv")}
    counts = prepare_collection({"reader": "choices", "questions": questions}, ["zu"], tmp_path / "out")
    assert (counts["documents"], counts["relevant"], counts["queries"]) == (8, 2, {"en": 2, "zu": 2})
    judged = [line.split() for line in (tmp_path / "out/qrels.txt").open()]
    assert ["q0", "0", "q0-C", "1"] in judged
    assert len(judged) == 8
    run = {"q0": {"q1-A": 9.0, "q0-C": 2.0, "q0-A": 1.0}, "q1": {"q0-C": 9.0, "q1-B": 2.0, "q1-A": 1.0}}
    rows = evaluate(run, read_judgments(tmp_path / "out/qrels.txt"), ["q0", "q1"], ["P(judged_only=True)@1"])
    assert [value for _, _, value in rows] == [1.0, 0.0]
