"""From published sentence pairs to clean training and development pairs, with a report of all that was dropped and why.

Steps: read each source, find and drop (or shift back) the rows whose sides do not belong together, normalise, filter,
drop texts of the evaluation and duplicates, split by a hash of the English sentence.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, NamedTuple

from optical.bitext.codes import names_of
from optical.bitext.evaluation_texts import read_evaluation_keys, sentence_keys
from optical.bitext.filters import Scripts, clean_text, matching_key, reason_to_drop, refuse_swapped
from optical.bitext.readers import Pair, read_bitext, source_format
from optical.bitext.row_alignment import Alignment, Run, check_alignment, length_correlation
from optical.config.bitext import BitextCleaning, BitextSource
from optical.config.names import check_names
from optical.errors import DataError, within
from optical.files import write_json, write_rows
from optical.runtime.progress import with_progress

log = logging.getLogger("optical")

TextPair = tuple[str, str]  # English, foreign
Language = Mapping[str, str]  # a row of languages.tsv
Report = dict[str, Any]  # of a language, a source or a run of rows, as report.json has it


class Split(NamedTuple):
    """Training and development pairs, both in input order, and how many are held back for which reason."""

    train: list[TextPair]
    dev: list[TextPair]
    held_back: dict[str, int]


def clean_bitext(
    sources: Sequence[BitextSource],
    lang: str,
    languages: Mapping[str, Language],
    settings: BitextCleaning,
    train: str | Path,
    dev: str | Path,
    report: str | Path,
    exclude: Iterable[str | Path] = (),
) -> Report:
    """Clean the sources of one language and write `english<TAB>foreign` files for training and development.

    Args:
        sources: their files are paths.
        lang: our code of the foreign language.
        languages: the rows of languages.tsv: the scripts of both sides, and the codes that files may use.
        settings: what is kept; `exclude` stands in place of theirs, which names files as the config does.
        train: where training pairs go.
        dev: where development pairs go.
        report: where the report goes.
        exclude: evaluation files and folders of collections; a pair is dropped that has a side, or a longer sentence
            of one, which is a text or a longer sentence of theirs.
    Returns:
        the report.
    Raises:
        ConfigError: a language is not in the table.
        DataError: too little is left.
    """
    check_names([lang, *(source.english_side for source in sources)], "language_table", languages, "add it")
    language = languages[lang]
    evaluation = read_evaluation_keys(exclude)
    kept: list[TextPair] = []
    seen: set[TextPair] = set()
    parts = []
    for number, source in enumerate(sources, start=1):
        name = source.name or f"source {number}"
        scripts = languages[source.english_side]["script"], language["script"]
        pairs, part = clean_source(source, name, language, scripts, settings, evaluation, seen)
        log.info("%s: %d of %d pairs kept %s", name, len(pairs), part["read"], part["dropped"] or "")
        kept += pairs
        parts.append(part)
    train_pairs, dev_pairs, held_back = split(kept, settings)
    if not train_pairs:
        reasons: Counter[str] = sum((Counter(part["dropped"]) for part in parts), Counter())
        dropped = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common(3)) or "none"
        raise DataError(
            f"no pair is left for training: {sum(part['read'] for part in parts)} read, {len(kept)} clean, "
            f"{len(dev_pairs)} for development; dropped: {dropped}",
            where=f"bitext of {lang}",
            hint="lower dev_pairs, loosen the filter that dropped most, or add a source",
        )
    summary = {
        "language": lang,
        "settings": settings.model_dump(exclude={"exclude"}),
        "sources": parts,
        "held_back": held_back,
        "train": len(train_pairs),
        "dev": len(dev_pairs),
    }
    write_rows(train, train_pairs, sealed=True)
    write_rows(dev, dev_pairs, sealed=True)
    write_json(report, summary, sealed=True)
    return summary


def clean_source(
    source: BitextSource,
    name: str,
    language: Language,
    scripts: Scripts,
    settings: BitextCleaning,
    evaluation: Set[str],
    seen: set[TextPair],
) -> tuple[list[TextPair], Report]:
    """Return the good pairs of one source and its part of the report.

    Args:
        source: its files are paths.
        name: what the report calls it.
        language: the row of the foreign language.
        scripts: ISO 15924 codes of both sides.
        settings: what is kept.
        evaluation: keys of texts that no pair may have.
        seen: collects the pairs of all sources, by which repeated ones are told.
    """
    pairs = [
        pair._replace(english=clean_text(pair.english), foreign=clean_text(pair.foreign))
        for pair in read_bitext(source, names_of(language), language["script"])
    ]
    with within(f"bitext of {language['code']}"):
        refuse_swapped(((pair.english, pair.foreign) for pair in pairs), name)
    alignment = Alignment([], 0.0, checked=False)
    sides = [pair.english for pair in pairs], [pair.foreign for pair in pairs]
    if settings.check_alignment and source.check_alignment:
        alignment = check_alignment(*sides)
    dropped: Counter[str] = Counter()
    kept = []
    aligned = aligned_pairs(pairs, alignment.runs, settings.repair)
    for pair in with_progress(aligned, f"cleaning {name}", len(aligned)):
        reason = reason_to_drop(pair.english, pair.foreign, settings, scripts)
        if reason is None:
            reason = _seen_before(pair, evaluation, seen)
        if reason is None:
            kept.append((pair.english, pair.foreign))
        else:
            dropped[reason] += 1
    misaligned = len(pairs) - len(kept) - dropped.total()
    if misaligned:
        dropped["misaligned"] = misaligned
        log.warning("%s: the sides of %d rows do not match: %s", name, misaligned, _in_words(pairs, alignment.runs))
    return kept, {
        "name": name,
        "format": source_format(source),
        "licence": source.licence or "not stated",
        "read": len(pairs),
        "kept": len(kept),
        "dropped": dict(sorted(dropped.items())),
        "alignment": {
            "checked": alignment.checked,
            "nats_per_aligned_row": round(alignment.separation, 3),
            "runs": [describe_run(run, pairs, sides, settings.repair) for run in alignment.runs],
        },
    }


def aligned_pairs(pairs: Sequence[Pair], runs: Iterable[Run], repair: str) -> list[Pair]:
    """Return the pairs outside faulty runs and, with repair "shift", the shifted ones put right."""
    partner: dict[int, int | None] = {}
    for run in runs:
        shift = run.shift if repair == "shift" else None
        for row in range(run.start, run.stop):
            partner[row] = row + shift if shift is not None and 0 <= row + shift < len(pairs) else None
    partners = ((pair, partner.get(index, index)) for index, pair in enumerate(pairs))
    return [pair._replace(foreign=pairs[other].foreign) for pair, other in partners if other is not None]


def describe_run(run: Run, pairs: Sequence[Pair], sides: tuple[list[str], list[str]], repair: str) -> Report:
    """Return one faulty run in words and figures, with its rows named as the source names them."""
    correlations = {"as_published": length_correlation(*sides, run, 0)}
    reading = "matches nothing near it"
    if run.shift is not None:
        correlations["shifted_back"] = length_correlation(*sides, run, run.shift)
        reading = f"the foreign side of row k translates row k{-run.shift:+d}"
    return {
        "from": row_name(pairs[run.start]),
        "to": row_name(pairs[run.stop - 1]),
        "rows": run.stop - run.start,
        "shift": run.shift,
        "reading": reading,
        "action": "shifted back" if run.shift is not None and repair == "shift" else "dropped",
        "evidence_nats": round(run.evidence, 1),
        "length_correlation": correlations,
    }


def row_name(pair: Pair) -> str:
    """Return how a row is named: by its document, where known, and its number from 1.

    >>> row_name(Pair("a", "b", "PubMed_8", 462))
    'PubMed_8:462'
    """
    return f"{pair.document}:{pair.row}" if pair.document else str(pair.row)


def split(kept: Sequence[TextPair], settings: BitextCleaning) -> Split:
    """Split pairs into training and development by a seeded hash of the English sentence.

    All pairs of one English sentence go to the same side, and languages that share their English side hold out the same
    sentences. Training pairs whose foreign side is in development are held back, as are those beyond `train_pairs`.
    """
    keys = [matching_key(english) for english, _ in kept]
    pairs_of = Counter(keys)
    ranked = sorted(pairs_of, key=lambda key: hashlib.sha256(f"{settings.seed} {key}".encode()).digest())
    dev_keys, room = set(), settings.dev_pairs
    for key in ranked:
        if room <= 0:
            break
        dev_keys.add(key)
        room -= pairs_of[key]
    rank = {key: place for place, key in enumerate(ranked)}
    dev = [pair for pair, key in zip(kept, keys, strict=True) if key in dev_keys]
    dev_foreign = {matching_key(foreign) for _, foreign in dev}
    train = [(pair, rank[key]) for pair, key in zip(kept, keys, strict=True) if key not in dev_keys]
    clear = [(pair, place) for pair, place in train if matching_key(pair[1]) not in dev_foreign]
    held_back = {"foreign side in dev": len(train) - len(clear)}
    limit = settings.train_pairs
    if limit is not None and len(clear) > limit:
        held_back["beyond train_pairs"] = len(clear) - limit
        chosen = {index for index, _ in sorted(enumerate(clear), key=lambda item: (item[1][1], item[0]))[:limit]}
        clear = [item for index, item in enumerate(clear) if index in chosen]
    return Split([pair for pair, _ in clear], dev, {why: count for why, count in held_back.items() if count})


def _seen_before(pair: Pair, evaluation: Set[str], seen: set[TextPair]) -> str | None:
    keys = matching_key(pair.english), matching_key(pair.foreign)
    if evaluation and not evaluation.isdisjoint((*keys, *sentence_keys(pair.english), *sentence_keys(pair.foreign))):
        return "in evaluation texts"
    if keys in seen:
        return "duplicate"
    seen.add(keys)
    return None


def _in_words(pairs: Sequence[Pair], runs: Iterable[Run]) -> str:
    names = ((row_name(pairs[run.start]), row_name(pairs[run.stop - 1])) for run in runs)
    return "; ".join(first if first == last else f"{first} to {last}" for first, last in names)
