"""Translation memories (TMX): the variants of each unit as text, in whatever encoding the file declares."""

import contextlib
import io
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import regex

from optical.errors import DataError
from optical.files import encoding_of_xml, is_encoding, open_bytes
from optical.zips import files_in, open_member, open_zip

DAMAGED = "\ufdd0"  # stands in a text for a control character, which XML forbids; nothing else may hold this sign

_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_CODES = ("bpt", "ept", "it", "ph", "ut")  # inline elements that hold codes of another format, not text
_STANDALONE = ("it", "ph")  # codes that may part two words, such as a line break
_GAP = "\0"
_BETWEEN_WORDS = regex.compile(rf"(?<=[^{_GAP}\s\p{{Ps}}\p{{Pi}}]){_GAP}+(?=[\p{{L}}\p{{N}}])")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
    "|&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
)
_BLOCK = 1 << 16  # characters


class Unit(NamedTuple):
    """A translation unit: its id ("" without one), and the text of each variant with its language code."""

    name: str
    variants: list[tuple[str, str]]


def read_units(path: str | Path) -> Iterator[Unit]:
    """Yield the units of a translation memory, plain, gzipped or in a zip file, one at a time in memory.

    Raises:
        DataError: the file cannot be read, decoded or parsed.
    """
    parser: Any = ElementTree.XMLPullParser(events=("start", "end"))
    body: list[ElementTree.Element] = []
    with _open(Path(path)) as file:
        try:
            for block in _blocks(file, path):
                parser.feed(block)
                for event, element in parser.read_events():
                    tag = _tag(element)
                    if tag == "body":
                        body = [element]
                    if tag != "tu" or event == "start":
                        continue
                    yield Unit(element.get("tuid", ""), list(_variants(element)))
                    for parent in body:  # forget the units read, so that memory does not grow with the file
                        parent.clear()
            parser.close()
        except ElementTree.ParseError as error:
            raise DataError(f"not well-formed XML: {error}", where=path, hint="fetch the file again") from error


@contextlib.contextmanager
def _open(path: Path) -> Iterator[io.BufferedReader]:
    if path.suffix.lower() != ".zip":
        with open_bytes(path) as file:
            yield file
        return
    with open_zip(path) as archive:
        members = [name for name in files_in(archive) if name.lower().removesuffix(".gz").endswith(".tmx")]
        if len(members) != 1:
            what = f"{len(members)} .tmx files in the archive, one is needed"
            raise DataError(what, where=path, hint=", ".join(members[:6]) or "unpack it, and give the right file")
        with open_member(archive, members[0]) as file:
            yield file


def _blocks(file: io.BufferedReader, path: str | Path) -> Iterator[str]:
    """Yield the decoded text, cut between tags, with `DAMAGED` in place of what XML forbids."""
    encoding = encoding_of_xml(file.peek(256))
    if not is_encoding(encoding):
        what = f"its encoding {encoding!r} is unknown"
        raise DataError(what, where=path, hint="convert it to UTF-8, and say so in its first line")
    waiting = ""
    try:
        with io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            while block := text.read(_BLOCK):
                waiting += block
                cut = max(waiting.rfind("<"), 0) or len(waiting)
                yield _FORBIDDEN.sub(DAMAGED, waiting[:cut])
                waiting = waiting[cut:]
    except UnicodeError as error:
        what = f"not {encoding}: {getattr(error, 'reason', error)}"
        raise DataError(what, where=path, hint="correct the encoding in its first line") from error
    yield _FORBIDDEN.sub(DAMAGED, waiting)


def _variants(unit: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for variant in unit:
        segments = [_text(part) for part in variant if _tag(part) == "seg"]
        if segments:
            yield variant.get(_LANGUAGE) or variant.get("lang") or "", " ".join(segments).strip()


def _text(segment: ElementTree.Element) -> str:
    """Return a segment's text without inline codes; a code between two words leaves a space."""
    pieces: list[str] = []
    waiting: list[ElementTree.Element | str | None] = [segment]
    while waiting:
        part = waiting.pop()
        if part is None or isinstance(part, str):
            pieces.append(part or "")
            continue
        code, gap = _tag(part) in _CODES, _GAP if _tag(part) in _STANDALONE else ""
        content: list[ElementTree.Element | str | None] = [gap, "" if code else part.text]
        for child in part:
            content += [child, "" if code else child.tail]
        waiting += reversed([*content, gap])
    return _BETWEEN_WORDS.sub(" ", "".join(pieces)).replace(_GAP, "")


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
