"""From published sentence pairs to clean training and development pairs, with a report of all that was dropped and why.

Steps: read each source, find and drop (or shift back) the rows whose sides do not belong together, normalise, filter,
drop texts of the evaluation and duplicates, split by a hash of the English sentence.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

from optical.bitext.filters import (
    look_swapped,
    matching_key,
    normalise,
    read_evaluation_keys,
    reason_to_drop,
    sentence_keys,
)
from optical.bitext.readers import Pair, read_bitext, source_format
from optical.bitext.row_alignment import Alignment, Run, check_alignment, length_correlation
from optical.errors import ConfigError, DataError
from optical.files import write_json, write_rows
from optical.runtime.progress import with_progress

log = logging.getLogger("optical")

DEFAULTS = {
    "check_alignment": True,
    "repair": "drop",  # or "shift": give rows that are shifted by up to three rows back to each other
    "maximum_words": 150,
    "maximum_characters": 1000,
    "maximum_length_ratio": 3.0,
    "minimum_letters": 0.5,
    "minimum_script": 0.5,
    "dev_pairs": 1000,
    "train_pairs": None,  # keep so many pairs only, the same ones for every language that shares the English side
    "seed": 1,
}
REPAIRS = ("drop", "shift")
LEAST_SEEN, MOST_SEEN = 20, 1000  # pairs by which swapped sides are told


def clean_bitext(
    sources: Sequence[Mapping[str, object]],
    language: Mapping[str, str],
    train: str | Path,
    dev: str | Path,
    report: str | Path,
    settings: Mapping[str, object] | None = None,
    exclude: Iterable[str | Path] = (),
) -> dict:
    """Clean the sources of one language and write `english<TAB>foreign` files for training and development.

    Args:
        sources: blocks of the config with their files as paths; see `readers.read_bitext`. `english_script` is
            that of the side which stands where English stands, where it is another language.
        language: the language's row of languages.tsv: its script, and the codes that files may use for it.
        settings: changes to `DEFAULTS`.
        exclude: evaluation files and folders of collections; a pair is dropped that has a side, or a longer sentence
            of one, which is a text or a longer sentence of theirs.
    Returns:
        the report. Raises `DataError` if too little is left.
    """
    chosen = checked_settings(settings or {})
    evaluation = read_evaluation_keys(exclude)
    kept: list[tuple[str, str]] = []
    seen: set[tuple[str, str]] = set()
    parts = []
    for number, source in enumerate(sources, start=1):
        name = str(source.get("name") or f"source {number}")
        pairs, part = clean_source(source, name, language, chosen, evaluation, seen)
        log.info("%s: %d of %d pairs kept %s", name, len(pairs), part["read"], part["dropped"] or "")
        kept += pairs
        parts.append(part)
    train_pairs, dev_pairs, held_back = split(kept, chosen)
    if not train_pairs:
        reasons = sum((Counter(part["dropped"]) for part in parts), Counter()).most_common(3)
        dropped = ", ".join(f"{reason} {count}" for reason, count in reasons) or "none"
        raise DataError(
            f"no pair is left for training: {sum(part['read'] for part in parts)} read, {len(kept)} clean, "
            f"{len(dev_pairs)} for development; dropped: {dropped}",
            where=f"bitext of {language['code']}",
            hint="lower dev_pairs, loosen the filter that dropped most, or add a source",
        )
    summary = {
        "language": language["code"],
        "settings": chosen,
        "sources": parts,
        "held_back": held_back,
        "train": len(train_pairs),
        "dev": len(dev_pairs),
    }
    write_rows(train, train_pairs)
    write_rows(dev, dev_pairs)
    write_json(report, summary)
    return summary


def checked_settings(settings: Mapping[str, object]) -> dict:
    """Return `DEFAULTS` with changes; an unknown name or repair is a `ConfigError`."""
    for name in settings:
        if name not in DEFAULTS:
            raise ConfigError(
                f"unknown setting {name!r}", where="bitext_cleaning", hint=f"one of {', '.join(DEFAULTS)}"
            )
    chosen = DEFAULTS | dict(settings)
    if chosen["repair"] not in REPAIRS:
        raise ConfigError(f"unknown repair {chosen['repair']!r}", where="bitext_cleaning", hint="drop or shift")
    return chosen


def clean_source(
    source: Mapping[str, object],
    name: str,
    language: Mapping[str, str],
    settings: Mapping,
    evaluation: Set[str],
    seen: set[tuple[str, str]],
) -> tuple[list[tuple[str, str]], dict]:
    """Return the good pairs of one source and its part of the report; `seen` collects the pairs of all sources."""
    codes = {value for column, value in language.items() if column not in ("name", "script", "resource")}
    pairs = [
        pair._replace(english=normalise(pair.english), foreign=normalise(pair.foreign))
        for pair in read_bitext(source, codes)
    ]
    if len(pairs) >= LEAST_SEEN and look_swapped([(pair.english, pair.foreign) for pair in pairs[:MOST_SEEN]]):
        what = f"{name}: the foreign side reads as English, and the English one does not"
        raise DataError(what, where=f"bitext of {language['code']}", hint="swap the files or columns: English first")
    alignment = Alignment([], 0.0, checked=False)
    sides = [pair.english for pair in pairs], [pair.foreign for pair in pairs]
    if settings["check_alignment"] and source.get("check_alignment", True):
        alignment = check_alignment(*sides)
    scripts = str(source.get("english_script", "Latn")), language["script"]
    dropped: Counter[str] = Counter()
    kept = []
    aligned = aligned_pairs(pairs, alignment.runs, settings["repair"])
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
        "licence": source.get("licence", "not stated"),
        "read": len(pairs),
        "kept": len(kept),
        "dropped": dict(sorted(dropped.items())),
        "alignment": {
            "checked": alignment.checked,
            "nats_per_aligned_row": round(alignment.separation, 3),
            "runs": [describe_run(run, pairs, sides, settings["repair"]) for run in alignment.runs],
        },
    }


def aligned_pairs(pairs: Sequence[Pair], runs: Iterable[Run], repair: str) -> list[Pair]:
    """Return the pairs outside faulty runs and, with repair "shift", the shifted ones put right."""
    partner: dict[int, int | None] = {}
    for run in runs:
        shift = run.shift if repair == "shift" else None
        for row in range(run.start, run.stop):
            there = None if shift is None else row + shift
            partner[row] = there if there is not None and 0 <= there < len(pairs) else None
    return [
        pair if index not in partner else pair._replace(foreign=pairs[partner[index]].foreign)
        for index, pair in enumerate(pairs)
        if partner.get(index, index) is not None
    ]


def describe_run(run: Run, pairs: Sequence[Pair], sides: tuple[list[str], list[str]], repair: str) -> dict:
    """Return one faulty run in words and figures, with its rows named as the source names them."""
    correlations = {"as_published": length_correlation(*sides, run, 0)}
    if run.shift is not None:
        correlations["shifted_back"] = length_correlation(*sides, run, run.shift)
    return {
        "from": row_name(pairs[run.start]),
        "to": row_name(pairs[run.stop - 1]),
        "rows": run.stop - run.start,
        "shift": run.shift,
        "reading": "matches nothing near it" if run.shift is None else _shift_in_words(run.shift),
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


def split(kept: Sequence[tuple[str, str]], settings: Mapping) -> tuple[list, list, dict[str, int]]:
    """Split pairs into training and development by a seeded hash of the English sentence.

    All pairs of one English sentence go to the same side, and languages that share their English side hold out the same
    sentences. Training pairs whose foreign side is in development are held back, as are those beyond `train_pairs`.

    Returns:
        training pairs, development pairs (both in input order), and how many are held back for which reason.
    """
    order: dict[str, int] = {}
    keys = [matching_key(english) for english, _ in kept]
    for key in keys:
        order[key] = order.get(key, 0) + 1
    ranked = sorted(order, key=lambda key: hashlib.sha256(f"{settings['seed']} {key}".encode()).digest())
    dev_keys, room = set(), settings["dev_pairs"]
    for key in ranked:
        if room <= 0:
            break
        dev_keys.add(key)
        room -= order[key]
    rank = {key: place for place, key in enumerate(ranked)}
    dev = [pair for pair, key in zip(kept, keys, strict=True) if key in dev_keys]
    dev_foreign = {matching_key(foreign) for _, foreign in dev}
    train = [(pair, rank[key]) for pair, key in zip(kept, keys, strict=True) if key not in dev_keys]
    clear = [(pair, place) for pair, place in train if matching_key(pair[1]) not in dev_foreign]
    held_back = {"foreign side in dev": len(train) - len(clear)}
    limit = settings["train_pairs"]
    if limit is not None and len(clear) > limit:
        held_back["beyond train_pairs"] = len(clear) - limit
        chosen = {index for index, _ in sorted(enumerate(clear), key=lambda item: (item[1][1], item[0]))[:limit]}
        clear = [item for index, item in enumerate(clear) if index in chosen]
    return [pair for pair, _ in clear], dev, {why: count for why, count in held_back.items() if count}


def _seen_before(pair: Pair, evaluation: Set[str], seen: set[tuple[str, str]]) -> str | None:
    keys = matching_key(pair.english), matching_key(pair.foreign)
    if evaluation and not evaluation.isdisjoint((*keys, *sentence_keys(pair.english), *sentence_keys(pair.foreign))):
        return "in evaluation texts"
    if keys in seen:
        return "duplicate"
    seen.add(keys)
    return None


def _shift_in_words(shift: int) -> str:
    return f"the foreign side of row k translates row k{-shift:+d}"


def _in_words(pairs: Sequence[Pair], runs: Iterable[Run]) -> str:
    names = ((row_name(pairs[run.start]), row_name(pairs[run.stop - 1])) for run in runs)
    return "; ".join(first if first == last else f"{first} to {last}" for first, last in names)
