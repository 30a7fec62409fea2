"""Read sentence pairs from the formats in which bitext is published."""

import contextlib
import gzip
import io
import itertools
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from optical.config.bitext import WAYS, BitextSource
from optical.errors import ConfigError, DataError
from optical.files import read_lines, read_rows

First = TypeVar("First")
_MISSING: Any = object()
_MERGED = "<range>"  # eBible: this verse is part of the one before
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Pair(NamedTuple):
    """A sentence in English and in the foreign language, with its document ("" if unknown) and its row (from 1)."""

    english: str
    foreign: str
    document: str
    row: int


def read_bitext(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """Yield the pairs of a source, in order, empty sides included.

    Args:
        source: its files are paths.
        codes: what the foreign language may be called inside the files, such as `{"tl", "fil", "tgl"}`.
    """
    pairs = READERS[source_format(source)](source, {code.casefold() for code in codes if code})
    yield from itertools.islice(pairs, source.limit)


def source_format(source: BitextSource) -> str:
    """Return the format of a source: as stated, or by its keys and the suffix of its file.

    >>> source_format(BitextSource(pairs="OPUS.en-sw.txt.zip"))
    'moses'
    """
    if source.format:
        return source.format
    if source.english and source.foreign:
        return "lines"
    named = next((key for key in ("moses", "tmx", "mtop") if getattr(source, key)), None)
    return named or next((form for suffix, form in _SUFFIXES if str(source.pairs).endswith(suffix)), "tsv")


_SUFFIXES = ((".tmx", "tmx"), (".tmx.zip", "tmx"), (".tmx.gz", "tmx"), (".zip", "moses"))


def _read_lines_format(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """Two files, line k of one translates line k of the other."""
    english, foreign = _two_files(source)
    return _number(_in_step(english, read_lines(english), foreign, read_lines(foreign)), source)


def _read_tsv(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """One file, English in the first column, the foreign sentence in the second."""
    return _number(((row[0], row[1]) for row in read_rows(_one_file(source), columns=2)), source)


def _read_vref(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """Two Bibles, a verse a line; `<range>` on either side joins the verse to the one before, on both sides."""
    verse: list[Pair] = []
    for pair in _read_lines_format(source, codes):
        if _MERGED not in (pair.english.strip(), pair.foreign.strip()):
            yield from _joined(verse)
            verse = []
        verse.append(pair)
    yield from _joined(verse)


def _joined(verse: list[Pair]) -> Iterator[Pair]:
    sides = [
        [text.strip() for text in side if text.strip() not in ("", _MERGED)]
        for side in ([pair.english for pair in verse], [pair.foreign for pair in verse])
    ]
    if all(sides):
        first = verse[0]
        chapter = first.document.rpartition(":")[0] or first.document
        yield Pair(" ".join(sides[0]), " ".join(sides[1]), chapter, first.row)


def _read_moses(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """A zip file of OPUS with `Corpus.en-xx.en` and `Corpus.en-xx.xx`; either code may come first."""
    path = _one_file(source)
    with _open_zip(path) as archive:
        sides: dict[str, str] = {}
        for member in archive.namelist():
            stem, _, code = member.rpartition(".")
            pair = {_plain(part) for part in stem.rpartition(".")[2].split("-")}
            if len(pair) == 2 and "en" in pair and (pair - {"en"}) <= codes and _plain(code) in pair:
                sides["english" if _plain(code) == "en" else "foreign"] = member
        if len(sides) < 2:
            raise DataError(
                f"no pair en-{'/'.join(sorted(codes))} among {', '.join(archive.namelist()[:6]) or 'no files'}",
                where=path,
                hint="take the zip file of another language pair",
            )
        english, foreign = sides["english"], sides["foreign"]
        lines = (_zip_lines(archive, member, path) for member in (english, foreign))
        yield from _number(_in_step(english, next(lines), foreign, next(lines)), source)


def _read_tmx(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """A translation memory, zipped or not; a unit's id `document:number` gives its document."""
    path = _one_file(source)
    row = 0
    tongues: set[str] = set()
    with _open_tmx(path) as file:
        try:
            body: list[ElementTree.Element] = []
            for event, element in ElementTree.iterparse(file, events=("start", "end")):
                tag = element.tag.rpartition("}")[2]
                if tag == "body":
                    body = [element]
                if tag != "tu" or event == "start":
                    continue
                texts = {_plain(code): text for code, text in _segments(element)}
                tongues |= texts.keys()
                foreign = next((texts[code] for code in texts if code in codes), None)
                if "en" in texts and foreign is not None:
                    row += 1
                    yield Pair(texts["en"], foreign, element.get("tuid", "").rpartition(":")[0], row)
                for parent in body:  # forget the units read, so that memory does not grow with the file
                    parent.clear()
        except ElementTree.ParseError as error:
            raise DataError(f"not well-formed XML: {error}", where=path, hint="fetch the file again") from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataError(f"damaged gzip file: {error}", where=path, hint="fetch the file again") from error
    if not row:
        raise DataError(
            f"no translation unit in en and {'/'.join(sorted(codes))}",
            where=path,
            hint=f"the languages of the file: {' '.join(sorted(tongues)) or 'none'}",
        )


def _read_mtop(source: BitextSource, codes: Set[str]) -> Iterator[Pair]:
    """MTOP's parallel utterances; `english_side` names the language that stands where English stands elsewhere."""
    from optical.corpora.mtop import mtop_pairs

    yield from _number(mtop_pairs(str(source.mtop), source.english_side, codes), source)


def _segments(unit: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for variant in unit:
        segment = next((part for part in variant if part.tag.rpartition("}")[2] == "seg"), None)
        if segment is not None:
            yield variant.get(_LANGUAGE) or variant.get("lang") or "", "".join(segment.itertext()).strip()


READERS = {
    "tsv": _read_tsv,
    "lines": _read_lines_format,
    "vref": _read_vref,
    "moses": _read_moses,
    "tmx": _read_tmx,
    "mtop": _read_mtop,
}


def _plain(code: str) -> str:
    """Return a language code without its region: en-US and so_SO are en and so."""
    return code.casefold().replace("_", "-").partition("-")[0]


def _one_file(source: BitextSource) -> Path:
    file = source.pairs or source.moses or source.tmx
    if file is None:
        raise ConfigError(f"the format {source.format} is one file", where=source.name or "bitext", hint=WAYS)
    return Path(file)


def _two_files(source: BitextSource) -> tuple[Path, Path]:
    if source.english is None or source.foreign is None:
        raise ConfigError(f"the format {source.format} is two files", where=source.name or "bitext", hint=WAYS)
    return Path(source.english), Path(source.foreign)


def _in_step(
    first: object, lines: Iterator[First], second: object, others: Iterator[str]
) -> Iterator[tuple[First, str]]:
    """Yield lines of two files side by side; files of different length are a `DataError` with both counts."""
    for number, (line, other) in enumerate(itertools.zip_longest(lines, others, fillvalue=_MISSING)):
        if line is _MISSING or other is _MISSING:
            longer = number + 1 + sum(1 for _ in lines) + sum(1 for _ in others)
            counts = (number, longer) if line is _MISSING else (longer, number)
            raise DataError(
                f"{counts[0]} and {counts[1]} lines",
                where=f"{first} and {second}",
                hint="line k of one file must translate line k of the other: fetch or export both again",
            )
        yield line, other


def _number(pairs: Iterator[tuple[str, str]], source: BitextSource) -> Iterator[Pair]:
    stepped: Iterator[tuple[tuple[str, str], str]] = ((pair, "") for pair in pairs)
    if source.documents:
        stepped = _in_step("the pairs", pairs, source.documents, read_lines(source.documents))
    for row, ((english, foreign), document) in enumerate(stepped, 1):
        yield Pair(english, foreign, document.strip(), row)


@contextlib.contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    if not path.is_file():
        raise DataError("no such file", where=path, hint="check the path")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise DataError(f"not a zip file: {error}", where=path, hint="fetch it again") from error


def _zip_lines(archive: zipfile.ZipFile, member: str, path: Path) -> Iterator[str]:
    with archive.open(member) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="\n") as file:
        try:
            for line in file:
                yield line.rstrip("\n").removesuffix("\r")
        except UnicodeDecodeError as error:
            raise DataError(f"not UTF-8: {error.reason}", where=f"{path}: {member}", hint="fetch it again") from error
        except (zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"damaged: {error}", where=f"{path}: {member}", hint="fetch it again") from error


@contextlib.contextmanager
def _open_tmx(path: Path) -> Iterator[IO[bytes] | gzip.GzipFile]:
    if path.suffix != ".zip":
        if not path.is_file():
            raise DataError("no such file", where=path, hint="check the path")
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield file
        return
    with _open_zip(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".tmx")]
        if len(members) != 1:
            raise DataError(f"{len(members)} .tmx files in the archive, one is needed", where=path)
        with archive.open(members[0]) as file:
            yield file
