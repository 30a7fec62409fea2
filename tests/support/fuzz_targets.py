"""What `support.fuzz` feeds: readers, each with small files that it reads well."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from optical.bitext.evaluation_texts import read_evaluation_keys
from optical.bitext.filters import clean_text, reason_to_drop
from optical.bitext.readers import read_bitext
from optical.config.bitext import BitextCleaning, BitextSource
from optical.config.project import read_config
from optical.config.tables import read_datasets, read_languages
from optical.corpora.files import read_documents
from optical.evaluation.measures import evaluate, read_judgments, read_ranking
from optical.evaluation.scores import read_scores
from optical.fetch.download import read_lock
from optical.files import read_table
from optical.search.runs import read_run
from support.prepared import prepare_collection, prepare_training_set

PAIRS = [("One house & two.", "Nyumba moja."), ("Two birds fly over it.", "Ndege wawili wanaruka."), ("Rain", "Mvua")]
TSV = "".join(f"{english}\t{foreign}\n" for english, foreign in PAIRS).encode()
SIDES = ["".join(f"{pair[side]}\n" for pair in PAIRS).encode() for side in (0, 1)]
VARIANTS = '<tuv xml:lang="en"><seg>One <ph>{{0}}</ph>{}</seg></tuv><tuv xml:lang="sw"><seg>{}</seg></tuv>'
UNITS = "".join(
    f'<tu tuid="a:1">{VARIANTS.format(*pair)}</tu>' for pair in (("house &amp; two", "Nyumba"), ("bird", "Ndege"))
)
TMX = f'<?xml version="1.0" encoding="UTF-8"?>\n<tmx version="1.4"><body>{UNITS}</body></tmx>'.encode()
DOCUMENTS = [{"id": "d1", "title": "Durban", "text": "A city."}, {"id": "d2", "text": "Goats eat é grass."}]
JSONL = "".join(json.dumps(row) + "\n" for row in DOCUMENTS).encode()
QUERIES, QRELS = b"q1\tMji gani?\nq2\tMbuzi hula nini?\n", b"q1 0 d1 1\nq2 0 d2 2\nq2 0 d1 0\n"
SGML = "<DOC>\n<DOCNO> d1 </DOCNO>\n<HEADLINE>Rain &amp; wind</HEADLINE>\n<TEXT><P>Caf\xe9 5 < 6.</P></TEXT>\n</DOC>\n"
TOPICS = b"<top>\n<num> C001 </num>\n<SW-title> Mvua </SW-title>\n<SW-desc> Tafuta. </SW-desc>\n</top>\n"
TOPIC = b"<topic><identifier>C001</identifier><title>Mvua</title></topic>"
XML = b'<?xml version="1.0" encoding="UTF-8"?><topics>' + TOPIC + b"</topics>"
AFRIQA = {"id": "1", "context": "Goats eat grass.", "question_lang": "Mbuzi?", "question_translated": "Goats?"}
HELD_OUT = {"id": "9", "context": "x", "question_lang": "y", "question_translated": "z"}
ANSWERS = [{"text": letter, "correct": letter == "b"} for letter in "abcd"]
BELEBELE = {"text": "Goats.", "items": [{"question": "Nini?", "answers": ANSWERS}]}
MTOP = [
    {
        "id": number,
        "question": {"en": f"call {number}", "sw": f"piga {number}"},
        "mr": {"slot_intent": {"en": f"[IN:{intent} ]", "sw": f"[IN:{intent} ]"}},
    }
    for number, intent in enumerate("AAB")
]
MKQA = {"id": "-1_en", "lang": "en", "question": "goats?", "answers": []}
TYDI = {"data": [{"paragraphs": [{"context": "Mbuzi.", "qas": [{"question": "Mji gani?"}]}]}]}
LANGUAGES = b"code\tname\tscript\tresource\nsw\tSwahili\tLatn\tlow\n"
DATASETS = b"name\tversion\turl\tsha256\tbytes\tlicence\tformat\tnote\na.txt\t1\thttps://a.b/c\t-\t7\tCC0\ttext\t\n"


class Target(NamedTuple):
    """A reader: files that it reads well, and the function that reads them in a folder."""

    files: dict[str, bytes]
    read: Callable[[Path], object]


def bitext(files: dict[str, bytes], **source: str) -> Target:
    """Return a source of sentence pairs, whose pairs are cleaned and judged, too."""

    def read(folder: Path) -> None:
        named = {key: str(folder / name) if name in files else name for key, name in source.items()}
        for pair in read_bitext(BitextSource.read(named), {"sw"}, "Latn"):
            reason_to_drop(clean_text(pair.english), clean_text(pair.foreign), BitextCleaning(), ("Latn", "Latn"))

    return Target(files, read)


def prepared(files: dict[str, bytes], training: bool = False, **block: object) -> Target:
    """Return a collection or training set; values that are names of the files become paths."""

    def path(folder: Path, value: object) -> object:
        if isinstance(value, dict):
            return {key: path(folder, part) for key, part in value.items()}
        return str(folder / value) if value in files else value

    def read(folder: Path) -> None:
        named = {key: path(folder, value) for key, value in block.items()}
        if training:
            prepare_training_set(named, folder / "out")
        else:
            prepare_collection(named, ["sw"], folder / "out")

    return Target(files, read)


def plain_training(files: dict[str, bytes], **block: object) -> Target:
    """Return the target of a training set that the plain reader reads, with the documents and queries of `TRAIN`."""
    return prepared(files, training=True, reader="plain", documents="docs", queries="q.tsv", **block)


def excluded(name: str, content: bytes) -> Target:
    return Target({name: content}, lambda folder: read_evaluation_keys([folder / name]))


def packed(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file."""
    with io.BytesIO() as file:
        with zipfile.ZipFile(file, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return file.getvalue()


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


PLAIN = {"docs": JSONL, "q.tsv": QUERIES, "qrels": QRELS}
TRAIN = {"docs": b"d1\tA city.\nd2\tGoats eat grass.\n", "q.tsv": QUERIES}
TRIPLES = {"triples": b"q1\td1\td2\nq2\td2\n"}
EXAMPLES = {"examples": b'["q1", ["d1", 9.5], ["d2", 1]]\n["q2", ["d2", 1]]\n'}
CAPTIONS = {"images": b"1.jpg#0\n2.jpg#0\n", "a": b"A dog.\nA cat.\n", "q": b"Mbwa.\nPaka.\n"}
CONFIG = b"languages: [sw]\nstudent: {steps: 5, learning_rate: 1e-3}\nmethods:\n  - bm25\n"
RUN = b"q1 Q0 d1 1 2.5 t\nq1 Q0 d2 2 1e-3 t\nq2 Q0 d2 1 7 t\n"
SCORES = b"collection\tmethod\tlang\tseed\tquery_id\tmeasure\tvalue\nc\tm\tsw\t1\tq1\tAP\t0.5\n"
OPUS = {"C.en-sw.en": SIDES[0], "C.en-sw.sw": SIDES[1]}

TARGETS = {
    "bitext tsv": bitext({"a.tsv": TSV}, pairs="a.tsv"),
    "bitext tsv.gz": bitext({"a.tsv.gz": gzip.compress(TSV)}, pairs="a.tsv.gz"),
    "bitext csv": bitext(
        {"a.csv": b"en;sw;note\r\n" + TSV.replace(b"\t", b";").replace(b"\n", b';"x, y"\r\n')}, pairs="a.csv"
    ),
    "bitext jsonl": bitext({"a.jsonl": lines(*({"en": one, "sw": two} for one, two in PAIRS))}, pairs="a.jsonl"),
    "bitext lines": bitext({"a": SIDES[0], "b": SIDES[1]}, english="a", foreign="b"),
    "bitext vref": bitext(
        {"a": SIDES[0], "b": SIDES[1], "c": b"A 1:1\n" * 3}, english="a", foreign="b", documents="c", format="vref"
    ),
    "bitext zip": bitext({"a.zip": packed(OPUS)}, moses="a.zip"),
    "bitext zip stored": bitext({"a.zip": packed(OPUS, zipfile.ZIP_STORED)}, moses="a.zip"),
    "bitext zip lzma": bitext({"a.zip": packed(OPUS, zipfile.ZIP_LZMA)}, moses="a.zip"),
    "bitext zip gz": bitext(
        {"a.zip": packed({f"{name}.gz": gzip.compress(text) for name, text in OPUS.items()})}, moses="a.zip"
    ),
    "bitext tmx": bitext({"a.tmx": TMX}, tmx="a.tmx"),
    "bitext tmx utf-16": bitext({"a.tmx": TMX.decode().replace("UTF-8", "UTF-16").encode("utf-16")}, tmx="a.tmx"),
    "bitext tmx.gz": bitext({"a.tmx.gz": gzip.compress(TMX)}, tmx="a.tmx.gz"),
    "bitext tmx.zip": bitext({"a.tmx.zip": packed({"a.tmx": TMX})}, tmx="a.tmx.zip"),
    "bitext mtop": bitext({"a.json": json.dumps(MTOP).encode()}, mtop="a.json"),
    "exclude txt": excluded("a.txt", SIDES[0]),
    "exclude csv": excluded("a.csv", b'q1,"What, now?"\nq2,Where\n'),
    "exclude json": excluded("a.json", json.dumps(DOCUMENTS, indent=1).encode()),
    "exclude jsonl": excluded("a.jsonl", JSONL),
    "exclude xml": excluded("a.xml", XML),
    "exclude sgml": excluded("topics", TOPICS),
    "exclude tmx": excluded("a.tmx", TMX),
    "exclude folder": Target({"q.tsv": QUERIES}, lambda folder: read_evaluation_keys([_as_collection(folder)])),
    "collection plain": prepared(PLAIN, reader="plain", documents="docs", queries={"sw": "q.tsv"}, qrels="qrels"),
    "collection table": prepared(
        PLAIN | {"docs": TRAIN["docs"]}, reader="plain", documents="docs", queries={"sw": "q.tsv"}, qrels="qrels"
    ),
    "collection clef": prepared(
        {"docs": SGML.encode("latin1"), "topics": TOPICS, "qrels": b"C001 0 d1 1\n"},
        reader="clef",
        documents="docs",
        topics={"sw": "topics"},
        qrels="qrels",
    ),
    "collection clef xml": prepared(
        {"docs": SGML.encode("latin1"), "topics": XML, "qrels": b"1 0 d1 1\n"},
        reader="clef",
        documents="docs",
        topics={"sw": "topics"},
        qrels="qrels",
    ),
    "collection afriqa": prepared({"a": lines(AFRIQA, AFRIQA | {"id": 2})}, reader="afriqa", questions={"sw": "a"}),
    "collection belebele": prepared({"a": lines(BELEBELE)}, reader="belebele", questions={"en": "a", "sw": "a"}),
    "collection choices": prepared({"a": b'"Nini?",a,b,c,d,B\n'}, reader="choices", questions={"en": "a", "sw": "a"}),
    "collection choices belebele": prepared(
        {"a": lines(BELEBELE)}, reader="choices", form="belebele", questions={"en": "a", "sw": "a"}
    ),
    "collection flores": prepared(
        {"en": b"a\nb\n" * 4, "sw": b"c\nd\n" * 4, "m": b"URL\n1\n1\n2\n2\n3\n3\n4\n4\n"},
        reader="flores_articles",
        sentences={"en": "en", "sw": "sw"},
        metadata="m",
    ),
    "collection beir": prepared(
        {
            "d": lines({"_id": "1", "title": "River", "text": "north"}),
            "q": lines({"_id": "q", "text": "where?"}),
            "r": b"query-id\tcorpus-id\tscore\nq\t1\t1\n",
        },
        reader="beir",
        corpus="d",
        queries={"en": "q", "sw": "q"},
        qrels="r",
    ),
    "collection multi30k": prepared(CAPTIONS, reader="multi30k", captions="a", images="images", queries={"sw": "q"}),
    "collection mtop": prepared({"a": json.dumps(MTOP).encode()}, reader="mtop", utterances="a", relevance="intent"),
    "collection mkqa": prepared(
        {"a.zip": packed({"mkqa/mkqa-en.jsonl": lines(MKQA)}), "b": lines(MKQA)},
        reader="mkqa",
        questions={"en": "a.zip", "sw": "b"},
    ),
    "collection miracl": prepared(
        {"a": json.dumps(TYDI).encode(), "t": QUERIES}, reader="miracl_swahili", topics={"sw": "t"}, passages="a"
    ),
    "training triples": plain_training(TRAIN | TRIPLES, triples="triples"),
    "training examples": plain_training(TRAIN | EXAMPLES, triples="examples", scores="examples"),
    "training qrels": plain_training(TRAIN | {"qrels": QRELS}, qrels="qrels", negatives=1),
    "training scores": plain_training(
        TRAIN | TRIPLES | {"scores": b"q1\td1\t2.5\nq2\td2\t1e-3\n"}, triples="triples", scores="scores"
    ),
    "training afriqa": prepared(
        {"a": lines(AFRIQA), "h": lines(HELD_OUT)}, training=True, reader="afriqa", pairs="a", held_out="h"
    ),
    "training mtop": prepared({"a": json.dumps(MTOP).encode()}, training=True, reader="mtop", utterances="a"),
    "table of languages": Target({"a.tsv": LANGUAGES}, lambda folder: read_languages(folder / "a.tsv")),
    "table of data sets": Target({"a.tsv": DATASETS}, lambda folder: read_datasets(folder / "a.tsv")),
    "lock of data sets": Target(
        {"a.tsv": b"a.txt\t" + b"0" * 64 + b"\t7\n"}, lambda folder: read_lock(folder / "a.tsv")
    ),
    "table": Target({"a.tsv": LANGUAGES}, lambda folder: read_table(folder / "a.tsv")),
    "config": Target({"a.yaml": CONFIG}, lambda folder: read_config([folder / "a.yaml"])),
    "run": Target({"a.trec": RUN}, lambda folder: read_run(folder / "a.trec")),
    "run with judgements": Target({"a.trec": RUN, "qrels": QRELS}, lambda folder: _measured(folder)),
    "scores": Target({"a.tsv": SCORES}, lambda folder: list(read_scores([folder / "a.tsv"]))),
    "passages csv": Target(
        {"a.csv": b'id,title,text,date\r\nd1,"A, b","two\nlines",2024\r\nd2,,x,\r\n'},
        lambda folder: list(read_documents(folder / "a.csv", metadata=True)),
    ),
    "passages with metadata": Target(
        {"a.jsonl": lines({"id": "d1", "text": "A city.", "lang": "en", "date": "2024-05-01", "source": "news"})},
        lambda folder: list(read_documents(folder / "a.jsonl", metadata=True)),
    ),
}


def _measured(folder: Path) -> None:
    evaluate(
        read_ranking(folder / "a.trec"), read_judgments(folder / "qrels"), ["q1", "q2"], ["AP", "nDCG@10", "Bpref"]
    )


def _as_collection(folder: Path) -> Path:
    (folder / "queries").mkdir(exist_ok=True)
    (folder / "q.tsv").replace(folder / "queries/q.tsv")
    return folder
