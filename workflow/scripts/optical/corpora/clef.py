"""CLEF 2000-2003 ad hoc: the SGML of the Los Angeles Times and Glasgow Herald, topics in many languages, judgements.

The documents need a licence (ELRA); the Swahili and Somali topics are a free download from CIIR, University of
Massachusetts.
"""

import gzip
import html
import logging
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from optical.config.collections import ClefCollection
from optical.corpora.blocks import as_list, query_files
from optical.corpora.files import Collection, Query, read_qrels
from optical.corpora.passages import Document, new_document
from optical.errors import DataError
from optical.files import read_lines

log = logging.getLogger("optical")

MARKS = "\ufeff" + "\ufeff".encode().decode("iso-8859-1")  # a byte-order mark, as UTF-8 and as anything else
DOCUMENT_FIELDS = ("HEADLINE", "LEAD", "TEXT")
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
MARKUP = re.compile(r"<[^<>]*>")
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

    A document without text and headline is skipped. Raises `DataError` with the file and its last document where the
    file ends inside a document or the compressed stream is damaged.
    """
    lines: list[str] = []
    last, inside, count = "none", False, 0
    for line in _decoded_lines(path, encoding):
        if line.lstrip().startswith("<DOC>"):
            if inside:
                raise DataError(f"a document begins inside another; the last whole one is {last}", where=path)
            lines, inside = [], True
        if inside:
            lines.append(line)
        if inside and "</DOC>" in line:
            if line.partition("</DOC>")[2].strip():
                raise DataError(f"text after </DOC> on its line, after {last}", where=path, hint="begin a new line")
            document = _sgml_document("".join(lines), path, last)
            last, inside, count = document["id"], False, count + 1
            if document["text"] or document.get("title"):
                yield document
    if inside:
        begun = re.search(r"<DOCNO>\s*(\S+?)\s*(?:</DOCNO>|$)", "".join(lines))
        name = begun.group(1) if begun else "(no number yet)"
        raise DataError(
            f"truncated: ends inside document {name}; the last whole one is {last}",
            where=path,
            hint="copy or unpack the file again",
        )
    if not count:
        raise DataError("no <DOC> in this file", where=path, hint="is it part of the collection? move it elsewhere")


def _decoded_lines(path: str | Path, encoding: str) -> Iterator[str]:
    """Yield decoded lines, without a byte-order mark; a damaged gzip file or a wrong encoding is a `DataError`."""
    path = Path(path)
    if not path.is_file():
        raise DataError("no such file", where=path, hint="check the path")
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding=encoding) as file:
            yield next(file, "").lstrip(MARKS)
            yield from file
    except UnicodeDecodeError as error:
        raise DataError(f"not {encoding}: {error.reason}", where=path, hint="set `encoding`") from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"truncated or damaged gzip file: {error}", where=path, hint="copy it again") from error


def _sgml_document(markup: str, path: str | Path, last: str) -> Document:
    """Return id, text and title of one `<DOC>`."""
    number = re.search(r"<DOCNO>\s*(\S+)\s*</DOCNO>", markup)
    if not number:
        raise DataError(f"a document without a number comes after {last}", where=path)
    parts = {field: _field_text(markup, field) for field in DOCUMENT_FIELDS}
    return new_document(number.group(1), " ".join(filter(None, (parts["LEAD"], parts["TEXT"]))), parts["HEADLINE"])


def _field_text(markup: str, field: str) -> str:
    """Return the text of every occurrence of a field, without the mark-up inside it."""
    return plain_text(" ".join(re.findall(rf"<{field}>(.*?)</{field}>", markup, re.DOTALL)))


def plain_text(markup: str) -> str:
    """Return text without tags, with entities resolved and white space collapsed.

    >>> plain_text("<P>\\nBread &amp; roses </P>")
    'Bread & roses'
    """
    return " ".join(html.unescape(MARKUP.sub(" ", markup)).split())


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
        raise DataError("no topic in this file", where=path)
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
    for block in re.split(r"<top(?:ic)?\b[^>]*>", text, flags=re.IGNORECASE)[1:]:
        pieces = TOPIC_TAG.split(re.split(r"</top(?:ic)?>", block, flags=re.IGNORECASE)[0])
        topic = {TAG_NAMES[tag.lower()]: plain_text(body) for tag, body in zip(pieces[1::2], pieces[2::2], strict=True)}
        if not topic.get("id"):
            raise DataError("a topic without a number", where=path)
        yield topic | {"id": topic_id(topic["id"])}
