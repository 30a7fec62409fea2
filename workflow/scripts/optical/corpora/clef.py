"""CLEF 2000-2003 ad hoc: the SGML of the Los Angeles Times and Glasgow Herald, topics in many languages, judgements.

The documents need a licence (ELRA); the Swahili and Somali topics are a free download from CIIR, University of
Massachusetts.
"""

import codecs
import html
import logging
import re
from collections.abc import Iterator
from pathlib import Path

from optical.config.collections import ClefCollection
from optical.corpora.blocks import as_list, query_files
from optical.corpora.files import Collection, Query, read_qrels
from optical.corpora.passages import Document, new_document
from optical.errors import DataError
from optical.files import is_encoding, open_bytes, open_text, read_lines

log = logging.getLogger("optical")

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
BEGIN = re.compile(r"\s*<DOC(?:\s[^<>]*)?>", re.IGNORECASE)
END = re.compile(r"</DOC\s*>", re.IGNORECASE)
STRAY = re.compile(r"<DOC(?:NO)?[\s>]", re.IGNORECASE)
FIELD_TAG = re.compile(r"<(/?)(DOCNO|HEADLINE|LEAD|TEXT)(?:\s[^<>]*)?>", re.IGNORECASE)
TOPIC_FIELDS = {"title": ("title",), "description": ("description",), "both": ("title", "description")}
TAG_NAMES = {
    "num": "id",
    "identifier": "id",
    "title": "title",
    "desc": "description",
    "description": "description",
    "narr": "narrative",
    "narrative": "narrative",
}
Topic = dict[str, str]  # id, title, description, narrative, or a single text
MARKUP = re.compile(r"<[!?/A-Za-z][^<>]*>")  # not the sign in "5 < 6"
ENDLESS = re.compile(r"&#[0-9]{8,};?")  # is no character, and too long for a number of Python
TREC_ENTITIES = {"&hyph;": "-", "&blank;": " "}  # of the Los Angeles Times; HTML has none or others of these names
TOPIC_TAG = re.compile(r"<(?:[a-z]{1,2}-)?(" + "|".join(TAG_NAMES) + r")\b[^<>]*>", re.IGNORECASE)


def read_clef(block: ClefCollection, languages: list[str]) -> Collection:
    """Read a CLEF collection: newspapers, topics by language, judgements.

    Only judgements of documents in the chosen folders count, so that only topics with at least one relevant document
    there are kept. Tab-separated topics are UTF-8, whatever `encoding` says.
    """
    topics = query_files(block.topics, languages)
    queries = {lang: read_topics(path, TOPIC_FIELDS[block.fields], block.encoding) for lang, path in topics.items()}
    qrels = [
        (topic_id(query_id), document_id, grade)
        for path in as_list(block.qrels)
        for query_id, document_id, grade in read_qrels(path)
    ]
    documents = (d for path in _clef_files(as_list(block.documents)) for d in read_sgml(path, block.encoding))
    return Collection(documents, queries, qrels, partial_qrels=True)


def _clef_files(places: list[str]) -> list[Path]:
    """Return the files of folders and single files, sorted within each."""
    files = []
    for path in map(Path, places):
        inside = [path]
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))
        if not inside:
            raise DataError("the folder holds no file", where=path, hint="unpack the collection there")
        files += inside
    return files


def read_sgml(path: str | Path, encoding: str) -> Iterator[Document]:
    """Yield the documents of a TREC-style SGML file, plain or gzipped; the headline is the title.

    Raises `DataError` with the file and its last document where the file ends inside a document, or has mark-up of one
    outside of any; and where it cannot be read or decoded.
    """
    lines: list[str] = []
    last, inside, count = "none", False, 0
    for line in _decoded_lines(path, encoding):
        if BEGIN.match(line):
            if inside:
                what = f"a document begins inside another; the last whole one is {last}"
                raise DataError(what, where=path, hint="each ends with </DOC>: copy or unpack the file again")
            lines, inside = [], True
        elif not inside and STRAY.search(line):
            hint = "each <DOC> begins a line"
            raise DataError(f"mark-up of a document outside of any, after {last}", where=path, hint=hint)
        if inside:
            lines.append(line)
        if inside and (end := END.search(line)):
            if line[end.end() :].strip():
                raise DataError(f"text after </DOC> on its line, after {last}", where=path, hint="begin a new line")
            document = _sgml_document("".join(lines), path, last)
            last, inside, count = document["id"], False, count + 1
            yield document
    if inside:
        begun = " ".join(_fields("".join(lines))["DOCNO"]).split()
        name = begun[0] if begun else "(no number yet)"
        raise DataError(
            f"truncated: ends inside document {name}; the last whole one is {last}",
            where=path,
            hint="copy or unpack the file again",
        )
    if not count:
        raise DataError("no <DOC> in this file", where=path, hint="is it part of the collection? move it elsewhere")


def _decoded_lines(path: str | Path, encoding: str) -> Iterator[str]:
    """Yield decoded lines, without a byte-order mark, which decides the encoding where there is one."""
    with open_bytes(path) as file:
        head = file.peek(3)
    marked = next((name for mark, name in MARKS.items() if head.startswith(mark)), encoding)
    if not is_encoding(marked):
        raise DataError(f"its encoding {marked!r} is unknown", where=path, hint="convert it to UTF-8")
    with open_text(path, marked, newline=None) as file:
        yield from file


def _sgml_document(markup: str, path: str | Path, last: str) -> Document:
    """Return id, text and title of one `<DOC>`."""
    fields = _fields(END.sub("", markup))
    number = " ".join(fields["DOCNO"][:1]).split()
    if len(number) != 1:
        raise DataError(f"a document without a number comes after {last}", where=path, hint="each has one <DOCNO>")
    title, lead, text = (plain_text(" ".join(fields[name])) for name in ("HEADLINE", "LEAD", "TEXT"))
    return new_document(number[0], " ".join(filter(None, (lead, text))), title)


def _fields(markup: str) -> dict[str, list[str]]:
    """Return what every occurrence of each field holds; one that nothing closes ends with the document."""
    fields: dict[str, list[str]] = {name: [] for name in ("DOCNO", "HEADLINE", "LEAD", "TEXT")}
    begun: dict[str, int] = {}
    for tag in FIELD_TAG.finditer(markup):
        name = tag[2].upper()
        if not tag[1]:
            begun.setdefault(name, tag.end())
        elif name in begun:
            fields[name].append(markup[begun.pop(name) : tag.start()])
    for name, start in begun.items():
        fields[name].append(markup[start:])
    return fields


def plain_text(markup: str) -> str:
    """Return text without tags, with entities resolved and white space collapsed.

    >>> plain_text("<P>\\nBread &amp; roses </P>")
    'Bread & roses'
    """
    text = ENDLESS.sub("\N{REPLACEMENT CHARACTER}", MARKUP.sub(" ", markup))
    for entity, sign in TREC_ENTITIES.items():
        text = text.replace(entity, sign)
    return " ".join(html.unescape(text).split())


def topic_id(text: str) -> str:
    """Return a topic's id in one form: `1`, `C1` and `C001` are the same topic.

    >>> topic_id("1"), topic_id(" C001 "), topic_id("10.2452/401-AH")
    ('C001', 'C001', '10.2452/401-AH')
    """
    text = text.strip()
    digits = text.removeprefix("C")
    return f"C{int(digits):03d}" if digits.isascii() and digits.isdigit() else text


def read_topics(path: str | Path, fields: tuple[str, ...], encoding: str) -> list[Query]:
    """Return `(topic id, text)` of a topic file: CLEF's SGML or XML, or a table.

    SGML fields may carry a language (`<EN-title>`), and closing tags may be missing, as in 2000. A table has the topic
    id and the text, or the id, the title and the description.
    """
    if next(filter(str.strip, _decoded_lines(path, encoding)), "").lstrip().startswith("<"):
        topics = list(_sgml_topics(path, encoding))
    else:
        topics = [_table_topic(line.split("\t"), path) for line in read_lines(path) if line.strip()]
    rows = []
    for topic in topics:
        text = topic.get("text") or " ".join(topic[field] for field in fields if topic.get(field))
        if not text:
            raise DataError(f"topic {topic['id']} has no {' or '.join(fields)}", where=path, hint="set `fields`")
        rows.append((topic["id"], text))
    if not rows:
        raise DataError("no topic in this file", where=path, hint="is it a file of topics?")
    return rows


def _table_topic(cells: list[str], path: str | Path) -> Topic:
    """Return a topic from a table's row; a single text is the query whatever the fields asked for."""
    if len(cells) < 2 or not cells[1].strip():
        raise DataError(f"topic {cells[0]} has no text", where=path, hint="topic_id<TAB>text")
    names = ("title", "description") if len(cells) > 2 else ("text",)
    return {"id": topic_id(cells[0])} | dict(zip(names, cells[1:], strict=False))


def _sgml_topics(path: str | Path, encoding: str) -> Iterator[Topic]:
    """Yield the topics of an SGML or XML file as `{id, title, description, narrative}`."""
    text = "".join(_decoded_lines(path, encoding))
    declared = re.match(r"\s*<\?xml[^>]*encoding=[\"']([\w-]+)[\"']", text)
    if declared and declared.group(1).lower() != encoding.lower():
        text = "".join(_decoded_lines(path, declared.group(1)))
    for block in re.split(r"<top(?:ic)?\b[^<>]*>", text, flags=re.IGNORECASE)[1:]:
        pieces = TOPIC_TAG.split(re.split(r"</top(?:ic)?>", block, flags=re.IGNORECASE)[0])
        topic = {TAG_NAMES[tag.lower()]: plain_text(body) for tag, body in zip(pieces[1::2], pieces[2::2], strict=True)}
        if not topic.get("id"):
            raise DataError("a topic without a number", where=path, hint="each has a <num> or <identifier>")
        yield topic | {"id": topic_id(topic["id"])}
