"""Pairs of languages as the columns of a comparison, and their means."""

import re

from optical.evaluation.comparison import compare_with_each
from optical.evaluation.matrix import GROUPS, matrix_lines, pair_groups, pair_of, pair_scores
from optical.evaluation.means_table import means_lines
from optical.evaluation.scores import Score
from optical.files import read_table
from support.workspace import ROOT

LANGS = ["en", "sw", "de"]
PASSAGES = {f"flores-{lang}": lang for lang in LANGS}
PAIRS = [pair_of(asked, read) for asked in LANGS for read in LANGS]


def scores(means):
    """Yield the scores of eight queries for each method and pair, the same noise in all."""
    for (method, asked, read), mean in means.items():
        for number in range(8):
            value = mean + 0.01 * (number - 3.5)
            yield Score(f"flores-{read}", method, asked, "1", f"q{number}", "AP", value)


def compared(means, methods):
    rows = pair_scores(scores(means), "flores", PASSAGES)
    groups = pair_groups(LANGS, LANGS)
    return compare_with_each(rows, "flores", methods, PAIRS, ["AP"], ["zero-shot", "score-kd"], groups, draws=300)


def test_every_pair_is_in_the_means_that_it_belongs_to():
    groups = pair_groups(LANGS, LANGS)
    assert groups == {
        "one language": ["sw-sw", "de-de"],
        "English queries": ["en-sw", "en-de"],
        "English passages": ["sw-en", "de-en"],
        "never trained": ["sw-de", "de-sw"],
        "all pairs": [pair for pair in PAIRS if pair != "en-en"],
    }


def test_means_over_pairs_are_tested_against_each_reference():
    base = {(method, asked, read): 0.4 for method in ("zero-shot", "score-kd") for asked in LANGS for read in LANGS}
    better = {("optical", asked, read): 0.4 + 0.1 * ("en" not in (asked, read)) for asked in LANGS for read in LANGS}
    bm25 = {("bm25", lang, lang): 0.3 for lang in LANGS}
    methods = ["bm25", "zero-shot", "score-kd", "optical"]
    cells = compared(base | better | bm25, methods)
    found = {(cell.method, cell.lang, cell.reference): cell for cell in cells}
    untrained = found["optical", "never trained", "score-kd"]
    assert round(untrained.mean, 6) == 0.5
    assert round(untrained.difference_to_reference, 6) == 0.1
    assert untrained.queries == 8, "a query of several languages is one query"
    assert round(found["optical", "all pairs", "zero-shot"].difference_to_reference, 6) == 0.05
    assert untrained.p_holm == 5 * 2 / 256, "all signs of eight queries are tried, and there are five means"
    assert ("bm25", "one language", "zero-shot") in found
    assert ("bm25", "never trained", "zero-shot") not in found
    columns = [(name, "AP") for name in pair_groups(LANGS, LANGS)]
    lines = means_lines(cells, methods, columns, ["zero-shot", "score-kd"], "Tests.")
    assert lines[0].startswith("| method | one language | English queries |")
    assert lines[2] == "| `bm25` | 0.300 (0.286 to 0.315) |  |  |  |  |"
    assert lines.count("Difference to `score-kd`:") == 1
    assert any("+0.100 (+0.100 to +0.100), p = .0" in line for line in lines if line.startswith("| `optical`"))
    matrix = matrix_lines(cells, ["optical"], LANGS, LANGS)
    assert matrix[-2:] == ["| sw | 0.400 | 0.500 | 0.500 |", "| de | 0.400 | 0.500 | 0.500 |"]


def test_the_page_shows_the_stored_matrix():
    page = (ROOT / "docs/any-to-any.md").read_text(encoding="utf-8")
    rows = read_table(ROOT / "docs/scores/any-to-any-matrix.tsv")
    mean_of = {(row["method"], row["lang"]): f"{float(row['mean']):.3f}" for row in rows}
    langs = ["en", "sw", "so", "tl", "mr", "fi", "de", "fr"]
    for method in ("zero-shot", "token-contrast"):
        for asked in langs:
            assert f"| {asked} | {' | '.join(mean_of[method, pair_of(asked, read)] for read in langs)} |" in page
    for method in ("zero-shot", "greedy", "score-kd", "optical", "token-contrast"):
        line = re.search(rf"^\| `{method}` \| (.*) \|$", page, re.MULTILINE)[1]  # the first table of the page
        assert [cell.split()[0] for cell in line.split(" | ")] == [mean_of[method, group][1:] for group in GROUPS]
