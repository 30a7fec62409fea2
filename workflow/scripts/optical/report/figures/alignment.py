"""Token alignments as heat maps: how much mass each foreign word sends to each English word.

Shapes: M foreign, N English tokens. A plan is a list of M rows of N masses.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from optical.report.figures.style import Row

CONTINUES = "##"  # WordPiece marks the pieces that continue a word,
STARTS = "▁"  # SentencePiece those that start one
WRITTEN_IN = 0.25
DARK = 0.55

Plan = Sequence[Sequence[float]]


def whole_words(tokens: Sequence[str]) -> tuple[list[str], list[int]]:
    """Put subwords together; return the words, and for each token the index of its word.

    A piece such as a vowel sign cannot be read on its own, in Devanagari least of all.

    >>> whole_words(["[Q]", "swa", "##li", "la"])
    (['[Q]', 'swali', 'la'], [0, 1, 1, 2])
    >>> whole_words(["▁swa", "li", "▁la"])
    (['swali', 'la'], [0, 0, 1])
    """
    marked = any(token.startswith(STARTS) for token in tokens)
    words: list[str] = []
    places = []
    for token in tokens:
        continues = not token.startswith(STARTS) if marked else token.startswith(CONTINUES)
        piece = token.removeprefix(CONTINUES).removeprefix(STARTS)
        if words and continues:
            words[-1] += piece
        else:
            words.append(piece)
        places.append(len(words) - 1)
    return words, places


def pool_to_words(
    foreign: Sequence[str], english: Sequence[str], plan_MN: Plan
) -> tuple[list[str], list[str], list[list[float]]]:
    """Return foreign words, English words and the plan between them, summed over the subwords of each word.

    >>> pool_to_words(["swa", "##li"], ["a", "question"], [[0.1, 0.4], [0.0, 0.5]])
    (['swali'], ['a', 'question'], [[0.1, 0.9]])
    """
    foreign_words, foreign_places = whole_words(foreign)
    english_words, english_places = whole_words(english)
    pooled = [[0.0] * len(english_words) for _ in foreign_words]
    for row, masses_N in zip(foreign_places, plan_MN, strict=True):
        for column, mass in zip(english_places, masses_N, strict=True):
            pooled[row][column] += mass
    return foreign_words, english_words, pooled


def alignment_rows(alignment: Mapping[str, Any]) -> list[Row]:
    """Return what `draw_alignment` draws: a row per pair of words, with shares before and after distillation.

    `alignment` holds `lang`, the tokens `foreign` and `english`, and `before` and `after`, each with a `plan`.
    """
    shares = {}
    for when in ("before", "after"):
        foreign, english, plan = pool_to_words(alignment["foreign"], alignment["english"], alignment[when]["plan"])
        shares[when] = [[mass / (sum(row) or 1.0) for mass in row] for row in plan]
    return [
        {
            "lang": alignment["lang"],
            "foreign_place": row,
            "foreign": foreign_word,
            "english_place": column,
            "english": english_word,
            "before": round(shares["before"][row][column], 6),
            "after": round(shares["after"][row][column], 6),
        }
        for row, foreign_word in enumerate(foreign)
        for column, english_word in enumerate(english)
    ]


def draw_alignment(rows: Sequence[Row], captions: Mapping[str, str]) -> Figure:
    """Draw two heat maps side by side, before and after; `captions` gives their titles.

    A row is a foreign word, its cells are the shares of its mass and add up to one; large shares are written in.
    """
    foreign = {int(row["foreign_place"]): row["foreign"] for row in rows}
    english = {int(row["english_place"]): row["english"] for row in rows}
    cell = 0.46
    figure = Figure(figsize=(2.6 + 2 * cell * len(english), 1.5 + 0.7 * cell * len(foreign)), layout="constrained")
    grid = figure.subplots(1, 2, sharey=True)
    for axes, (when, caption) in zip(grid, captions.items(), strict=True):
        share_of = {(int(row["foreign_place"]), int(row["english_place"])): float(row[when]) for row in rows}
        shares = [[share_of[place, column] for column in range(len(english))] for place in range(len(foreign))]
        image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        axes.set_xticks(range(len(english)), english.values(), rotation=50, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(foreign)), foreign.values())
        axes.grid(visible=False)
        axes.set_title(caption)
        for (place, column), share in share_of.items():
            if share >= WRITTEN_IN:
                colour = "white" if share > DARK else "black"
                shown = f"{share:.1f}".removeprefix("0")
                axes.text(column, place, shown, ha="center", va="center", color=colour, fontsize=7)
    figure.colorbar(image, ax=grid, label="share of the word's mass", fraction=0.03, pad=0.01)
    return figure
