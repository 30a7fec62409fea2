"""Read sentence pairs from the formats in which bitext is published."""

import itertools
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from optical.bitext.archives import line_aligned_members
from optical.bitext.codes import ENGLISH, Tongue, best_fitting, same_form
from optical.bitext.tmx import read_units
from optical.config.bitext import WAYS, BitextSource
from optical.corpora.named_columns import numbered_cells
from optical.errors import ConfigError, DataError
from optical.files import numbered_jsonl, numbered_rows, read_lines
from optical.zips import files_in, open_zip, read_member

First = TypeVar("First")
ENGLISH_FORMS = frozenset(map(same_form, ("eng_Latn", "en_US", "en_GB")))
Columns = Sequence[str] | None  # names of the English and of the foreign column
_MISSING: Any = object()
_MERGED = "<range>"  # eBible: this verse is part of the one before


class Pair(NamedTuple):
    """A sentence in English and in the foreign language, with its document ("" if unknown) and its row (from 1)."""

    english: str
    foreign: str
    document: str
    row: int


def read_bitext(source: BitextSource, codes: Set[str], script: str = "") -> Iterator[Pair]:
    """Yield the pairs of a source, in order, empty sides included.

    Args:
        source: its files are paths.
        codes: what the foreign language may be called inside the files, such as `{"tl", "fil", "Tagalog"}`.
        script: ISO 15924 code of its script, by which a file's variants are told; "" for any.
    """
    tongue = Tongue({same_form(code) for code in codes if code}, script)
    pairs = READERS[source_format(source)](source, tongue)
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
    return named or next((form for suffix, form in _SUFFIXES if str(source.pairs).lower().endswith(suffix)), "tsv")


_SUFFIXES = (
    *((f".tmx{packed}", "tmx") for packed in ("", ".zip", ".gz")),
    *((f".{form}{packed}", form) for form in ("csv", "jsonl") for packed in ("", ".gz")),
    (".zip", "moses"),
)


def _read_lines_format(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """Two files, line k of one translates line k of the other."""
    english, foreign = _two_files(source)
    return _number(_in_step(english, read_lines(english), foreign, read_lines(foreign)), source)


def _read_tsv(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """One file, English in the first column, the foreign sentence in the second."""
    return _number(_two_columns(_one_file(source), tongue), source)


def _two_columns(path: Path, tongue: Tongue) -> Iterator[tuple[str, str]]:
    for number, (english, foreign, *more) in numbered_rows(path, 2):
        if number == 1 and not more and None not in _sides_of((english, foreign), tongue):
            continue  # a header
        if more:  # a tab within a sentence would make its rest the translation
            what = f"line {number} has {2 + len(more)} tab-separated columns, not two"
            raise DataError(what, where=path, hint="remove the tab within a sentence, or the further columns")
        yield english, foreign


def _read_csv(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """CSV with both languages; without their names in the first row it has two columns, English first."""
    return _number(_two_of_csv(_one_file(source), tongue, source.columns), source)


def _two_of_csv(path: Path, tongue: Tongue, columns: Columns) -> Iterator[tuple[str, str]]:
    rows = numbered_cells(path)
    _, first = next(rows, (1, []))
    english, foreign = _sides_of(first, tongue, columns)
    if len(first) == 2 and not columns:
        if english is None and foreign is None:
            english, foreign = 0, 1
            yield first[0], first[1]
        elif english is None or foreign is None:  # one name tells the other column
            english, foreign = (0, 1) if english == 0 or foreign == 1 else (1, 0)
    if english is None or foreign is None:
        raise DataError(
            f"English and the language are not found in the first row: {', '.join(first)[:100] or 'it is empty'}",
            where=path,
            hint=f"name the two columns en and {min(tongue.codes, key=len)} there, or name them by columns",
        )
    yield from ((row[english], row[foreign]) for _, row in rows)


def _read_jsonl(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """JSON Lines with both languages, perhaps within `translation`, as data sets of the Hugging Face hub have them."""
    return _number(_two_of_jsonl(_one_file(source), tongue, source.columns), source)


def _two_of_jsonl(path: Path, tongue: Tongue, columns: Columns) -> Iterator[tuple[str, str]]:
    for number, item in numbered_jsonl(path):
        fields = item.get("translation", item) if isinstance(item, dict) else {}
        names = list(fields) if isinstance(fields, dict) else []
        texts = [fields[names[side]] for side in _sides_of(names, tongue, columns) if side is not None]
        if len(texts) != 2 or not all(isinstance(text, str) for text in texts):
            what = f"line {number} lacks a text in English or in the language: its fields are {', '.join(names)[:100]}"
            hint = f'write {{"en": "...", "{min(tongue.codes, key=len)}": "..."}}, or name the fields by columns'
            raise DataError(what, where=path, hint=hint)
        yield texts[0], texts[1]


def _sides_of(names: Sequence[str], tongue: Tongue, columns: Columns = None) -> tuple[int | None, int | None]:
    """Return which of the names are English and the language: a code, `English`, or `foreign`; None if none is.

    Names of columns that are given decide alone.
    """
    if columns:
        english, foreign = (names.index(column) if column in names else None for column in columns)
        return english, foreign
    known = [same_form(name.strip()) for name in names]

    def place(side: Set[str]) -> int | None:
        return next((number for number, name in enumerate(known) if name in side), None)

    return place({*ENGLISH, "english", *ENGLISH_FORMS}), place({*tongue.codes, "foreign"})


def _read_vref(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """Two Bibles, a verse a line; `<range>` on either side joins the verse to the one before, on both sides."""
    verse: list[Pair] = []
    for pair in _read_lines_format(source, tongue):
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


def _read_moses(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """A zip file of OPUS with `Corpus.en-xx.en` and `Corpus.en-xx.xx`, or several such pairs in turn."""
    path = _one_file(source)
    with open_zip(path) as archive:
        names = files_in(archive)
        found = line_aligned_members(names, tongue)
        if not found:
            raise DataError(
                f"no pair en-{'/'.join(sorted(tongue.codes))} among {', '.join(names[:6]) or 'no files'}",
                where=path,
                hint="take the zip file of another language pair; needed are Corpus.en-xx.en and Corpus.en-xx.xx",
            )
        pairs = (
            _in_step(two["english"], read_member(archive, two["english"]), two["foreign"], lines)
            for two in found
            for lines in [read_member(archive, two["foreign"])]
        )
        yield from _number(itertools.chain.from_iterable(pairs), source)


def _read_tmx(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """A translation memory, zipped or not; a unit's id `document:number` gives its document.

    Of a unit with several variants of a language, the one with the language's region or script is read, or all.
    """
    path = _one_file(source)
    row = 0
    seen: set[str] = set()
    for name, variants in read_units(path):
        seen |= {code for code, _ in variants}
        sides = (_texts(variants, Tongue(ENGLISH)), _texts(variants, tongue))
        for english, foreign in itertools.product(*sides):
            row += 1
            yield Pair(english, foreign, name.rpartition(":")[0], row)
    if not row:
        raise DataError(
            f"no translation unit in en and {'/'.join(sorted(tongue.codes))}",
            where=path,
            hint=f"the languages of the file: {' '.join(sorted(seen)) or 'none'}",
        )


def _texts(variants: list[tuple[str, str]], tongue: Tongue) -> list[str]:
    """Return a unit's different texts in a language; an empty one only where there is no other."""
    full = best_fitting([(code, text) for code, text in variants if text], tongue)
    return list(dict.fromkeys(full or best_fitting(variants, tongue)))


def _read_mtop(source: BitextSource, tongue: Tongue) -> Iterator[Pair]:
    """MTOP's parallel utterances; `english_side` names the language that stands where English stands elsewhere."""
    from optical.corpora.mtop import mtop_pairs

    yield from _number(mtop_pairs(str(source.mtop), source.english_side, tongue.codes), source)


READERS = {
    "tsv": _read_tsv,
    "csv": _read_csv,
    "jsonl": _read_jsonl,
    "lines": _read_lines_format,
    "vref": _read_vref,
    "moses": _read_moses,
    "tmx": _read_tmx,
    "mtop": _read_mtop,
}


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
