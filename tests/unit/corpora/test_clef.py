"""CLEF: SGML documents, topics in their several forms, judgements of the chosen part, truncated files."""

import contextlib
import gzip
import json
import time

import pytest

from optical.corpora.clef import plain_text, read_sgml, read_topics
from optical.errors import ConfigError, DataError
from support.bounds import bounded
from support.prepared import prepare_collection

LATIN = "iso-8859-1"
LOS_ANGELES = """<DOC>
<DOCNO> LA010194-0001 </DOCNO>
<DOCID> 000001 </DOCID>
<SECTION><P>Metro; 1 </P></SECTION>
<HEADLINE><P>PIER REOPENS AFTER STORM </P>
</HEADLINE>
<TEXT>
<P>
The old pier &amp; its carousel opened again.
</P>
<P>
Crowds came early.
</P>
</TEXT>
</DOC>
<DOC>
<DOCNO> LA010194-0002 </DOCNO>
<TEXT><P>A lemon harvest failed.</P></TEXT>
</DOC>
<DOC>
<DOCNO> LA010194-0003 </DOCNO>
<SECTION><P>A picture without a story</P></SECTION>
</DOC>
"""
GLASGOW = """<DOC>
<DOCNO>GH950102-000000</DOCNO>
<DATE>950102</DATE>
<HEADLINE>Ferry strike ends</HEADLINE>
<TEXT>
The caf\xe9 on the quay served tea.
</TEXT>
</DOC>
"""
TOPICS_2001 = """<top>
<num> C041 </num>
<EN-title> Harbour storms </EN-title>
<EN-desc> Find reports on storms in harbours. </EN-desc>
<EN-narr> Only sea harbours count. </EN-narr>
</top>
<top>
<num> C042 </num>
<EN-title> Fruit harvests </EN-title>
<EN-desc> Find reports on failed harvests. </EN-desc>
</top>
<top>
<num> C043 </num>
<EN-title> Volcanoes </EN-title>
<EN-desc> Find reports on eruptions. </EN-desc>
</top>
"""
TOPICS_OPEN_TAGS = """<top>
<num> C041
<D-title> Hafenst\xfcrme
<D-desc> Finde Berichte \xfcber St\xfcrme.
</top>
"""
TOPICS_XML = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<topics><topic lang="de">
<identifier>C041</identifier><title>Hafenstürme</title><description>Finde Berichte über Stürme.</description>
<narrative>Nur Seehäfen.</narrative></topic></topics>
"""


@pytest.fixture
def clef(tmp_path):
    """Write a tiny collection in CLEF's own form and return its block of the config."""
    (tmp_path / "latimes").mkdir()
    with gzip.open(tmp_path / "latimes/la010194.gz", "wt", encoding="iso-8859-1") as file:
        file.write(LOS_ANGELES)
    (tmp_path / "glasgow").mkdir()
    (tmp_path / "glasgow/gh950102.sgml").write_text(GLASGOW, encoding="iso-8859-1")
    (tmp_path / "topics.en").write_text(TOPICS_2001)
    (tmp_path / "topics.so.tsv").write_text("41\tDuufaanno dekedaha\n42\tGoosashada miraha\n43\tFoolkaanooyinka\n")
    (tmp_path / "qrels").write_text("41 0 LA010194-0001 1\n42 0 LA010194-0002 1\n43 0 GH950102-000000 1\n")
    return {
        "reader": "clef",
        "documents": [str(tmp_path / "latimes"), str(tmp_path / "glasgow")],
        "topics": {"en": str(tmp_path / "topics.en"), "so": str(tmp_path / "topics.so.tsv")},
        "qrels": str(tmp_path / "qrels"),
    }


def test_documents_topics_and_judgements_meet(clef, tmp_path):
    counts = prepare_collection(clef, ["so"], tmp_path / "out")
    assert counts == {"documents": 3, "split": None, "queries": {"en": 3, "so": 3}, "relevant": 3}
    documents = [json.loads(line) for line in (tmp_path / "out/documents.jsonl").open()]
    assert documents[0] == {
        "id": "LA010194-0001",
        "title": "PIER REOPENS AFTER STORM",
        "text": "The old pier & its carousel opened again. Crowds came early.",
    }
    assert documents[2]["text"] == "The café on the quay served tea."
    assert (tmp_path / "out/queries/so.tsv").read_text().startswith("C041\tDuufaanno dekedaha\n")
    english = (tmp_path / "out/queries/en.tsv").read_text().splitlines()
    assert english[0] == "C041\tHarbour storms Find reports on storms in harbours."


def test_only_topics_with_a_relevant_document_in_the_chosen_part(clef, tmp_path, caplog):
    counts = prepare_collection(clef | {"documents": str(tmp_path / "latimes")}, ["so"], tmp_path / "out")
    assert counts == {"documents": 2, "split": None, "queries": {"en": 2, "so": 2}, "relevant": 2}
    assert "C043" not in (tmp_path / "out/queries/so.tsv").read_text()
    assert "1 of 3 judgements left out" in caplog.text


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("title", "Harbour storms"),
        ("description", "Find reports on storms in harbours."),
        ("both", "Harbour storms Find reports on storms in harbours."),
    ],
)
def test_fields_of_a_topic(clef, tmp_path, fields, expected):
    prepare_collection(clef | {"fields": fields}, ["so"], tmp_path / "out")
    assert (tmp_path / "out/queries/en.tsv").read_text().splitlines()[0] == f"C041\t{expected}"


def test_topic_forms_agree(tmp_path):
    (tmp_path / "open").write_text(TOPICS_OPEN_TAGS, encoding="iso-8859-1")
    (tmp_path / "xml").write_text(TOPICS_XML, encoding="utf-8")
    (tmp_path / "table").write_text("C041\tHafenstürme\tFinde Berichte über Stürme.\n", encoding="utf-8")
    expected = [("C041", "Hafenstürme Finde Berichte über Stürme.")]
    for name in ("open", "xml", "table"):
        assert read_topics(tmp_path / name, ("title", "description"), LATIN) == expected
    for name in ("xml", "table"):  # UTF-8, with a byte-order mark
        (tmp_path / name).write_bytes("\ufeff".encode() + (tmp_path / name).read_bytes())
        assert read_topics(tmp_path / name, ("title", "description"), LATIN) == expected


def test_a_truncated_file_is_named_with_its_last_document(clef, tmp_path):
    (tmp_path / "latimes/la010194.gz").unlink()
    path = tmp_path / "latimes/la010194"
    path.write_text(LOS_ANGELES[: LOS_ANGELES.index("A lemon")])
    with pytest.raises(DataError, match="inside document LA010194-0002; the last whole one is LA010194-0001") as caught:
        prepare_collection(clef, ["so"], tmp_path / "out")
    assert str(path) in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_lost_end_tag_in_the_middle_is_found(tmp_path):
    (tmp_path / "file").write_text(LOS_ANGELES.replace("</DOC>", "", 1))
    with pytest.raises(DataError, match="begins inside another"):
        list(read_sgml(tmp_path / "file", LATIN))


def test_text_behind_the_end_of_a_document_is_found(tmp_path):
    (tmp_path / "file").write_text(LOS_ANGELES.replace("</DOC>\n", "</DOC>"))
    with pytest.raises(DataError, match="text after </DOC> on its line"):
        list(read_sgml(tmp_path / "file", LATIN))


def test_a_truncated_gzip_file_is_named(clef, tmp_path):
    path = tmp_path / "latimes/la010194.gz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="damaged gzip") as caught:
        prepare_collection(clef, ["so"], tmp_path / "out")
    assert str(path) in str(caught.value)


def test_strange_files_are_refused(clef, tmp_path):
    with pytest.raises(DataError, match="no such file"):
        prepare_collection(clef | {"documents": str(tmp_path / "herald")}, ["so"], tmp_path / "out")
    (tmp_path / "glasgow/README").write_text("licence\n")
    with pytest.raises(DataError, match="no <DOC> in this file"):
        prepare_collection(clef, ["so"], tmp_path / "out")


@pytest.mark.parametrize(
    "markup",
    [
        '<DOC id="1" lang="en">\n<DOCNO>A</DOCNO>\n<TEXT>x</TEXT>\n</DOC>',
        "<doc>\n<docno>\nA\n</docno>\n<text lang='en'>x</text>\n</doc>",
        "<DOC><DOCNO>A</DOCNO><TEXT>x</TEXT></DOC>",
        "<DOC>\n<DOCNO>A</DOCNO>\n<TEXT>x\n</DOC >",
        "\ufeff<DOC>\r\n<DOCNO> A </DOCNO>\r\n<TEXT>x</TEXT>\r\n</DOC>\r\n",
    ],
)
def test_a_document_is_read_however_its_tags_are_written(tmp_path, markup):
    (tmp_path / "a.sgml").write_bytes(markup.encode())
    assert list(read_sgml(tmp_path / "a.sgml", LATIN)) == [{"id": "A", "text": "x"}]


@pytest.mark.parametrize(
    ("markup", "what"),
    [
        ("x <DOC>\n<DOCNO>A</DOCNO>\n</DOC>\n", "mark-up of a document outside of any"),
        ("<DOC>\n<DOCNO>A</DOCNO>\n</DOC>\n<DOCNO>B</DOCNO>\n", "mark-up of a document outside of any, after A"),
        ("<DOC>\n<DOCNO>A B</DOCNO>\n</DOC>\n", "a document without a number"),
        ("<DOC>\n<TEXT>x</TEXT>\n</DOC>\n", "a document without a number"),
    ],
)
def test_a_document_that_cannot_be_read_is_never_passed_over(tmp_path, markup, what):
    (tmp_path / "a.sgml").write_text(markup)
    with pytest.raises(DataError, match=what):
        list(read_sgml(tmp_path / "a.sgml", LATIN))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_decides_the_encoding(tmp_path, encoding):
    (tmp_path / "a.sgml").write_bytes(GLASGOW.encode(encoding))
    assert "café" in next(read_sgml(tmp_path / "a.sgml", LATIN))["text"]
    (tmp_path / "topics").write_bytes(TOPICS_OPEN_TAGS.encode(encoding))
    assert read_topics(tmp_path / "topics", ("title",), LATIN) == [("C041", "Hafenstürme")]


def test_an_unknown_encoding_is_refused_before_any_job_and_in_a_file(clef, tmp_path):
    with pytest.raises(ConfigError, match=r"unknown encoding 'latin9000' \[collection.encoding\]"):
        prepare_collection(clef | {"encoding": "latin9000"}, ["so"], tmp_path / "out")
    (tmp_path / "topics.en").write_text(TOPICS_XML.replace("UTF-8", "rot13"))
    with pytest.raises(DataError, match=r"its encoding 'rot13' is unknown .*topics\.en"):
        prepare_collection(clef, ["so"], tmp_path / "out")


def test_signs_that_look_like_tags_and_entities_of_trec_are_kept():
    markup = "<P>5 < 6 and 7 > 2</P>&blank;well&hyph;known <!-- x -->&lt;b&gt;"
    assert plain_text(markup) == "5 < 6 and 7 > 2 well-known <b>"
    assert plain_text(f"a&#{'9' * 5000};b &#65; &#0000;") == "a\ufffdb A \ufffd"


@pytest.mark.parametrize("sign", ["<TEXT", "<TEXT>", "</TEXT>", "<DOCNO ", "<a ", "<", "&", "&#9"])
def test_the_time_grows_with_the_length_alone(tmp_path, sign):
    (tmp_path / "a.sgml").write_text(f"<DOC>\n<DOCNO> A </DOCNO>\n<TEXT>\n{sign * 30_000}\n</TEXT>\n</DOC>\n")
    with bounded(60):
        assert [document["id"] for document in read_sgml(tmp_path / "a.sgml", "utf-8")] == ["A"]


@pytest.mark.parametrize("unit", ["<TEXT>", "<DOCNO>", "<a", "<top", "<!--", "<SW-title> "])
def test_reading_takes_time_in_proportion_to_the_size(tmp_path, unit):
    (tmp_path / "a.sgml").write_text(f"<DOC>\n<DOCNO>A</DOCNO>\n{unit * 200_000}\n</DOC>\n")
    (tmp_path / "topics").write_text(f"<top>\n<num>C001</num>\n{unit * 200_000}\n<SW-title>x</SW-title></top>")
    start = time.process_time()
    with contextlib.suppress(DataError):
        list(read_sgml(tmp_path / "a.sgml", LATIN))
    with contextlib.suppress(DataError):
        read_topics(tmp_path / "topics", ("title",), LATIN)
    assert time.process_time() - start < 10  # what is quadratic takes minutes
