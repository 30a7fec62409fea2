"""Make a lexical table from bitext: align words in both directions, join the alignments, count the links.

There are two aligners. `ibm2`, in numpy, gives the same table every time. It suffices for some thousand pairs, and
aligns more in parts. `eflomal` (Östling and Tiedemann 2016) is better for large bitext. It runs as the command
`eflomal-align` from a separate environment, because its licence is GPL-3. The system chooses its random seed, so two
runs differ a little.

Shape suffixes: P cells (a word of one side against a word of the other, all sentence pairs one after the other),
T kinds of cells (distinct word pairs), W distinct words of the given side.
"""

import itertools
import math
import shutil
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import digamma

from optical.config.bitext import WordAlignment
from optical.errors import DataError, ResourceError
from optical.files import read_lines, read_rows, write_lines
from optical.runtime.progress import with_progress
from optical.text.words import LexicalTable, words

SentencePair = tuple[Sequence[Any], Sequence[Any]]  # English words, foreign words: as text, or as numbers
Links = set[tuple[int, int]]  # (English position, foreign position)

MOST_CELLS = 50_000_000
NEIGHBOURS = [(-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1)]

# Of ibm2: how strongly words keep to the diagonal of the sentence pair, the probability that a word has no counterpart,
# and the prior of a translation, which is below 1 because a word has few.
TENSION, NULL_PROBABILITY, PRIOR = 4.0, 0.08, 0.01
# Of eflomal: model, relative number of sampling iterations, samplers.
EFLOMAL_OPTIONS = ("-m", "3", "-l", "1.0", "--n-samplers", "3", "--overwrite")


def read_bitext_words(path: str | Path) -> list[SentencePair]:
    """Read a bitext (TSV: English, foreign) as lists of words; pairs with an empty side are left out."""
    rows: list[SentencePair] = [(words(english), words(foreign)) for english, foreign, *_ in read_rows(path, 2)]
    pairs = [pair for pair in rows if all(pair)]
    if not pairs:
        raise DataError("no sentence pair with words on both sides", where=path, hint="nothing can be aligned")
    return pairs


def align(pairs: Sequence[SentencePair], settings: WordAlignment) -> list[Links]:
    """Return the links of each sentence pair, joined from both directions; none where a side is empty."""
    full = [pair for pair in pairs if all(pair)]
    if not full:
        return [set() for _ in pairs]
    if settings.aligner == "ibm2":
        forward, backward = align_ibm2(full, settings.iterations)
    else:
        forward, backward = align_eflomal(full)
    join = SYMMETRISERS[settings.symmetrise]
    joined = (join(*both) for both in zip(forward, backward, strict=True))
    return [next(joined) if all(pair) else set() for pair in pairs]


def count_tables(pairs: Sequence[SentencePair], alignments: Sequence[Links]) -> tuple[LexicalTable, LexicalTable]:
    """Return P(english | foreign) and P(foreign | english) as relative frequencies of the links.

    >>> english, foreign = ["red", "house"], ["nyumba", "nyekundu"]
    >>> count_tables([(english, foreign)], [{(0, 1), (1, 0)}])[0]
    {'nyekundu': {'red': 1.0}, 'nyumba': {'house': 1.0}}
    """
    counts = Counter(
        (english[i], foreign[j])
        for (english, foreign), links in zip(pairs, alignments, strict=True)
        for i, j in sorted(links)
    )
    tables: tuple[LexicalTable, LexicalTable] = {}, {}
    for table, source, target in ((tables[0], 1, 0), (tables[1], 0, 1)):
        totals: Counter[str] = Counter()
        for pair, count in counts.items():
            totals[pair[source]] += count
        for pair, count in counts.items():
            table.setdefault(pair[source], {})[pair[target]] = count / totals[pair[source]]
    return tables


def write_lexical_table(path: str | Path, table: LexicalTable) -> int:
    """Write P(english | foreign) as rows `foreign english probability`, likeliest first; return their number."""
    return write_lines(
        path,
        (
            f"{foreign}\t{english}\t{probability:.6f}"
            for foreign in sorted(table)
            for english, probability in sorted(table[foreign].items(), key=lambda item: (-item[1], item[0]))
        ),
        sealed=True,
    )


def read_lexical_table(path: str | Path) -> LexicalTable:
    """Read a table of `write_lexical_table`: source word -> word -> probability."""
    table: LexicalTable = defaultdict(dict)
    for source, word, probability in read_rows(path, 3):
        try:
            table[source][word] = float(probability)
        except ValueError as error:
            raise DataError(
                f"{probability!r} is not a probability", where=path, hint="make it by align_words.py"
            ) from error
    return dict(table)


def align_ibm2(pairs: Sequence[SentencePair], iterations: int) -> tuple[list[Links], list[Links]]:
    """Align both directions by IBM Model 2 with a diagonal prior and sparse translation probabilities.

    Brown et al. 1993 in the form of Dyer et al. 2013 (fast_align): the prior of a link falls exponentially with its
    distance from the diagonal, translation probabilities have a Dirichlet prior (variational Bayes). Deterministic.
    Both sides of each pair must have words.
    About 150 bytes of memory for each pair of words within a sentence pair; bitext of more than `MOST_CELLS` is aligned
    in parts, each by its own model.
    """
    foreign_from_english: list[Links] = []
    english_from_foreign: list[Links] = []
    for part in _parts(pairs):
        cells = _Cells(part)
        foreign_from_english += _best_links(cells, iterations, source=0)
        english_from_foreign += _best_links(cells, iterations, source=1)
    return foreign_from_english, english_from_foreign


def _parts(pairs: Sequence[SentencePair]) -> Iterator[Sequence[SentencePair]]:
    """Yield consecutive sentence pairs, about `MOST_CELLS` pairs of words together at most, in parts of like size."""
    cells = np.cumsum([len(english) * len(foreign) for english, foreign in pairs])
    count = math.ceil(cells[-1] / MOST_CELLS) if len(cells) else 0
    ends = np.searchsorted(cells, [cells[-1] * number / count for number in range(1, count)])
    for first, last in itertools.pairwise([0, *ends.tolist(), len(pairs)]):
        if first < last:
            yield pairs[first:last]


class _Cells:
    """All (English word, foreign word) cells of all sentence pairs, flattened."""

    def __init__(self, pairs: Sequence[SentencePair]):
        self.words = ids = [_number(sentences) for sentences in zip(*pairs, strict=True)]
        lengths = np.array([[len(english), len(foreign)] for english, foreign in pairs])
        sizes = lengths.prod(axis=1)
        self.sentence_P = np.repeat(np.arange(len(pairs)), sizes)
        within_P = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        foreign_length_P = lengths[self.sentence_P, 1]
        self.position_P = [within_P // foreign_length_P, within_P % foreign_length_P]
        self.length_P = [lengths[self.sentence_P, side] for side in (0, 1)]
        # The number of a word's occurrence in the corpus, then the word itself.
        starts = np.cumsum(lengths, axis=0) - lengths
        self.occurrence_P = [starts[self.sentence_P, side] + self.position_P[side] for side in (0, 1)]
        self.word_P = [ids[side][self.occurrence_P[side]] for side in (0, 1)]
        kinds_T, self.kind_P = np.unique(self.word_P[0] * (ids[1].max() + 1) + self.word_P[1], return_inverse=True)
        self.word_T = list(np.divmod(kinds_T, ids[1].max() + 1))
        self.sentences = len(pairs)


def _number(sentences: Iterable[Sequence[Any]]) -> np.ndarray:
    vocabulary: dict[Any, int] = {}
    return np.array([vocabulary.setdefault(word, len(vocabulary)) for sentence in sentences for word in sentence])


def _best_links(cells: _Cells, iterations: int, source: int) -> list[Links]:
    """Link each word of the other side to its likeliest word of the `source` (0 English, 1 foreign), or to none."""
    target = 1 - source
    offset_P = (cells.position_P[source] + 0.5) / cells.length_P[source]
    offset_P = offset_P - (cells.position_P[target] + 0.5) / cells.length_P[target]
    diagonal_P = np.exp(-TENSION * np.abs(offset_P))
    column_P, column_words = cells.occurrence_P[target], cells.word_P[target].max() + 1
    diagonal_P *= (1 - NULL_PROBABILITY) / np.bincount(column_P, diagonal_P)[column_P]
    words_of_column = cells.words[target]
    translation_T = np.full(len(cells.word_T[0]), 1.0 / column_words)
    null_W = np.full(column_words, 1.0 / column_words)
    for _ in with_progress(range(iterations), "aligning words, iterations", iterations):
        weight_P = diagonal_P * translation_T[cells.kind_P]
        null_weight = NULL_PROBABILITY * null_W[words_of_column]
        total = np.bincount(column_P, weight_P) + null_weight
        counts_T = np.bincount(cells.kind_P, weight_P / total[column_P])
        null_counts_W = np.bincount(words_of_column, null_weight / total, minlength=column_words)
        sums_W = np.bincount(cells.word_T[source], counts_T)
        kinds_W = np.bincount(cells.word_T[source])
        translation_T = np.exp(digamma(counts_T + PRIOR) - digamma(sums_W + PRIOR * kinds_W)[cells.word_T[source]])
        null_W = np.exp(digamma(null_counts_W + PRIOR) - digamma(null_counts_W.sum() + PRIOR * column_words))
    weight_P = diagonal_P * translation_T[cells.kind_P]
    return _likeliest(cells, weight_P, NULL_PROBABILITY * null_W[words_of_column], column_P)


def _likeliest(cells: _Cells, weight_P: np.ndarray, null_weight: np.ndarray, column_P: np.ndarray) -> list[Links]:
    most = null_weight.copy()
    np.maximum.at(most, column_P, weight_P)
    winners = np.flatnonzero((weight_P == most[column_P]) & (weight_P > null_weight[column_P]))
    _, first = np.unique(column_P[winners], return_index=True)  # of equal weights the first position wins
    best = winners[first]
    links: list[Links] = [set() for _ in range(cells.sentences)]
    rows = zip(cells.sentence_P[best], cells.position_P[0][best], cells.position_P[1][best], strict=True)
    for sentence, english, foreign in rows:
        links[sentence].add((int(english), int(foreign)))
    return links


def align_eflomal(pairs: Sequence[SentencePair]) -> tuple[list[Links], list[Links]]:
    """Align both directions by the command `eflomal-align`; a `ResourceError` where it is not installed."""
    command = shutil.which("eflomal-align")
    if command is None:
        raise ResourceError(
            "the command eflomal-align is not on the PATH",
            hint="pip install eflomal==2.0.0 in an environment of its own, or set aligner: ibm2",
        )
    with tempfile.TemporaryDirectory() as folder:
        english, foreign, forward, backward = (Path(folder, name) for name in ("en", "xx", "forward", "backward"))
        for path, side in ((english, 0), (foreign, 1)):
            write_lines(path, (" ".join(map(str, pair[side])) for pair in pairs))
        files = ["-s", english, "-t", foreign, "-f", forward, "-r", backward]
        done = subprocess.run([command, *EFLOMAL_OPTIONS, *map(str, files)], capture_output=True, text=True)
        if done.returncode or not backward.is_file():
            raise ResourceError(
                f"eflomal-align ended with status {done.returncode}: {' '.join(done.stderr.split())[-300:]}",
                hint="memory may not suffice; take less bitext, or set aligner: ibm2",
            )
        return _read_links(forward), _read_links(backward)


def _read_links(path: Path) -> list[Links]:
    rows = ([link.split("-") for link in line.split()] for line in read_lines(path))
    return [{(int(english), int(foreign)) for english, foreign in row} for row in rows]


def grow_diag_final_and(forward: Links, backward: Links) -> Links:
    """Start from links that both directions share; add neighbours, then links of words without one.

    Koehn et al. 2003: it keeps nearly the precision of the intersection and links most words.

    >>> sorted(grow_diag_final_and({(0, 0), (1, 1)}, {(0, 0), (1, 0)}))
    [(0, 0), (1, 0), (1, 1)]
    """
    union, links = forward | backward, forward & backward
    linked = ({i for i, _ in links}, {j for _, j in links})

    def add(i: int, j: int) -> None:
        links.add((i, j))
        linked[0].add(i)
        linked[1].add(j)

    fresh = sorted(links)
    while fresh:
        before, fresh = fresh, []
        for i, j in before:
            for near in ((i + di, j + dj) for di, dj in NEIGHBOURS):
                if near in union and near not in links and (near[0] not in linked[0] or near[1] not in linked[1]):
                    add(*near)
                    fresh.append(near)
    for i, j in [*sorted(forward), *sorted(backward)]:
        if i not in linked[0] and j not in linked[1]:
            add(i, j)
    return links


SYMMETRISERS: dict[str, Callable[[Links, Links], Links]] = {
    "grow-diag-final-and": grow_diag_final_and,
    "intersect": set.intersection,
    "union": set.union,
}
