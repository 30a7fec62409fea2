"""The matrix of any language to any language: queries in each language against the passages in each.

A pair of languages stands where `optical.evaluation.comparison` has a language: `sw-de` is Swahili queries, German
passages. A mean over pairs has the query as its unit, as a mean over languages has.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from optical.evaluation.comparison import CELL_COLUMNS, Cell, cell_rows, compare_with_each
from optical.evaluation.means_table import means_lines
from optical.evaluation.scores import Score
from optical.files import write_lines, write_rows

log = logging.getLogger(__name__)

TESTS = (
    "In brackets: 95 % bootstrap interval; p: paired randomisation test over queries, Holm-corrected over these means. "
    "`one language` leaves out English, `never trained` are pairs without English, and `all pairs` are all except "
    "English to English."
)
SEP = "-"  # between the language of the queries and that of the passages

# Which pairs a mean is over, by the languages of queries and passages. English is what every student learns from, so
# two other languages are a pair that no sentence pairs join. English alone is the teacher's, the same for most methods.
GROUPS: dict[str, Callable[[str, str], bool]] = {
    "one language": lambda asked, read: asked == read and asked != "en",
    "English queries": lambda asked, read: asked == "en" and read != "en",
    "English passages": lambda asked, read: asked != "en" and read == "en",
    "never trained": lambda asked, read: asked != read and "en" not in (asked, read),
    "all pairs": lambda asked, read: not (asked == "en" and read == "en"),
}


def pair_of(asked: str, read: str) -> str:
    """Return the name of a pair: the language of the queries, and that of the passages."""
    return f"{asked}{SEP}{read}"


def languages_of(pair: str) -> tuple[str, str] | None:
    """Return the languages of queries and passages of a pair; None for a mean over pairs.

    >>> languages_of("sw-de"), languages_of("never trained")
    (('sw', 'de'), None)
    """
    asked, _, read = pair.partition(SEP)
    return (asked, read) if read else None


def pair_scores(scores: Iterable[Score], collection: str, passages: Mapping[str, str]) -> Iterator[Score]:
    """Yield the scores of the collections in one language each as those of one collection, a pair as the language.

    Args:
        scores: of these collections.
        collection: the name of the whole.
        passages: collection -> language of its passages.
    """
    for score in scores:
        yield score._replace(collection=collection, lang=pair_of(score.lang, passages[score.collection]))


def pair_groups(langs: Sequence[str], passages: Sequence[str]) -> dict[str, list[str]]:
    """Return the pairs of each mean, for these languages of queries and of passages.

    >>> pair_groups(["en", "sw"], ["en", "sw"])["English passages"]
    ['sw-en']
    """
    return {
        name: [pair_of(asked, read) for asked in langs for read in passages if among(asked, read)]
        for name, among in GROUPS.items()
    }


def matrix_lines(
    cells: Iterable[Cell], methods: Sequence[str], langs: Sequence[str], passages: Sequence[str]
) -> list[str]:
    """Return a Markdown table of means for each method with some: rows are queries' languages, columns passages'."""
    means = {(cell.method, cell.lang): cell.mean for cell in cells}
    measured = {method for method, _ in means}
    lines = []
    for method in (name for name in methods if name in measured):
        lines += ["", f"`{method}`: queries in the language of the row, passages in that of the column", ""]
        lines += ["| | " + " | ".join(passages) + " |", "|---|" + "---:|" * len(passages)]
        for asked in langs:
            row = [means.get((method, pair_of(asked, read))) for read in passages]
            lines.append(f"| {asked} | " + " | ".join("" if mean is None else f"{mean:.3f}" for mean in row) + " |")
    return lines


def write_matrix(
    scores: Iterable[Score],
    collection: str,
    langs: Sequence[str],
    passages: Mapping[str, str],
    methods: Sequence[str],
    measure: str,
    references: Sequence[str],
    out: str | Path,
    markdown: str | Path,
) -> None:
    """Write the tables of all pairs of languages, and of the means over them.

    Args:
        scores: of the collections in one language each.
        collection: the name of the whole.
        langs: of the queries.
        passages: collection in one language -> that language.
        methods: the rows, in this order.
        measure: what is compared.
        references: methods that the others are tested against.
        out: the long table of cells.
        markdown: the means, and the matrix of each method.
    """
    read = list(passages.values())
    pairs, groups = [pair_of(one, other) for one in langs for other in read], pair_groups(langs, read)
    compared = sorted(pair_scores(scores, collection, passages))  # so that merged runs give the same bytes
    cells = compare_with_each(compared, collection, methods, pairs, [measure], references, groups)
    write_rows(out, [CELL_COLUMNS, *cell_rows(cells)], sealed=True)
    columns = [(name, measure) for name in GROUPS if groups[name]]
    lines = [f"Mean {measure} on {collection}, by the languages of query and passage.", ""]
    lines += means_lines(cells, methods, columns, references, TESTS)
    lines += matrix_lines(cells, methods, langs, read)
    write_lines(markdown, lines, sealed=True)
    log.info("%s: %d pairs of %d methods", out, len(pairs), len(methods))
