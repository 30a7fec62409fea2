"""How much mass of the transport plan links names that a lexicon lists as translations.

The sentence pairs are held out from training. A name of the lexicon on both sides of a pair is a true link. The quality
of a name is the share of the mass of the foreign name's tokens that arrives at the English name's tokens. That of a
pair is the mean over its names. `chance` is the quality of the product of the marginals: the English name's mass.

Shape suffixes: B sentence pairs, M foreign tokens, N English tokens, L tokens of either side, D vector size,
V vocabulary.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Encoding, Tokenizer

from optical.config.transport import TransportSettings
from optical.errors import DataError
from optical.files import read_rows
from optical.losses.transport import token_cost, transport_plan
from optical.models.encoder import Encoder

MASS, MASS_TRANSLATED, CHANCE = "mass", "mass_translated", "chance"
MEASURES = (MASS, MASS_TRANSLATED, CHANCE)


class Link(NamedTuple):
    """A name on both sides of a pair: its subwords there, and whether it is spelt differently."""

    foreign: list[int]
    english: list[int]
    translated: bool


class LinkedPair(NamedTuple):
    """A sentence pair as subwords, with the names that are known to translate each other."""

    number: int
    foreign: list[int]
    english: list[int]
    links: list[Link]


def read_lexicon(path: str | Path) -> list[tuple[str, str]]:
    """Read (English name, foreign name) pairs, the longest first: "Guinea-Bissau" goes before "Guinea"."""
    names = [(english, foreign) for english, foreign, *_ in read_rows(path, 2)]
    return sorted(names, key=lambda pair: (-len(pair[0]) - len(pair[1]), pair))


def linked_pairs(
    tokeniser: Tokenizer, pairs: Iterable[Sequence[str]], lexicon: Sequence[tuple[str, str]]
) -> list[LinkedPair]:
    """Return the sentence pairs (English, foreign) that hold a name of the lexicon on both sides.

    A subword belongs to one name at most, the longest.
    """
    names = [[tokeniser.encode(name, add_special_tokens=False).ids for name in entry] for entry in lexicon]
    linked = []
    for number, (english, foreign, *_) in enumerate(pairs, start=1):
        sides = [tokeniser.encode(text, add_special_tokens=False) for text in (english, foreign)]
        taken: tuple[set[int], set[int]] = (set(), set())
        links = []
        for ids in names:
            places = [_places(*side) for side in zip(sides, ids, taken, strict=True)]
            if all(places):
                for mine, new in zip(taken, places, strict=True):
                    mine.update(new)
                links.append(Link(places[1], places[0], translated=ids[0] != ids[1]))
        if links:
            linked.append(LinkedPair(number, sides[1].ids, sides[0].ids, links))
    return linked


def _places(sentence: Encoding, name: list[int], taken: set[int]) -> list[int]:
    """Return the subwords of every occurrence of a name, as whole words that no other name has taken."""
    places: list[int] = []
    words = sentence.word_ids
    for start in range(len(sentence.ids) - len(name) + 1 if name else 0):
        end = start + len(name)
        whole = (start == 0 or words[start - 1] != words[start]) and (end == len(words) or words[end - 1] != words[end])
        if whole and sentence.ids[start:end] == name and taken.isdisjoint(range(start, end)):
            places.extend(range(start, end))
    return places


@torch.no_grad()
def plan_of(
    encoders: tuple[Encoder, Encoder],
    pairs: Sequence[LinkedPair],
    kind: str,
    transport: TransportSettings,
    weights: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """Return the plans between the words of the pairs, float32 (B, M, N), indexed by subword; zero at the rest.

    Args:
        encoders: the model that reads the foreign sides, and the one that reads the English sides.
        pairs: the sentence pairs.
        kind: QUERY or DOCUMENT, how they are read.
        transport: the problem and its solver.
        weights: of English and of foreign tokens, from `bitext_token_weights`; not used where marginals are uniform.
    """
    sides = []
    texts = ([pair.foreign for pair in pairs], [pair.english for pair in pairs])
    for encoder, ids, weights_V in zip(encoders, texts, reversed(weights), strict=True):
        ids_BL, attention_BL, keep_BL = encoder.frame(ids, kind)
        vectors_BLD = encoder.eval()(ids_BL, attention_BL).cpu()
        mask_BL = keep_BL & encoder.content_mask(ids_BL, attention_BL, kind)
        sides.append((vectors_BLD, mask_BL, torch.from_numpy(weights_V)[ids_BL]))
    (foreign_BMD, foreign_BM, foreign_weights_BM), (english_BND, english_BN, english_weights_BN) = sides
    cost_BMN = token_cost(foreign_BMD, english_BND)
    plan_BMN = transport_plan(cost_BMN, foreign_BM, english_BN, transport, foreign_weights_BM, english_weights_BN)
    return plan_BMN[:, 2:, 2:].numpy()  # after [CLS] and the marker


def pair_figures(plan_BMN: np.ndarray, pairs: Sequence[LinkedPair]) -> Iterator[tuple[int, str, float]]:
    """Yield (number of the pair, measure, value) of every pair whose names have mass, for each of `MEASURES`.

    `mass_translated` counts only names that are spelt differently: equal subwords are similar from the start.
    """
    for plan_MN, pair in zip(plan_BMN, pairs, strict=True):
        shares_of: dict[str, list[float]] = {measure: [] for measure in MEASURES}
        for link in pair.links:
            foreign = [place for place in link.foreign if place < plan_MN.shape[0]]  # beyond it, the text was cut
            english = [place for place in link.english if place < plan_MN.shape[1]]
            sent = plan_MN[foreign].sum()
            if sent > 0 and plan_MN[:, english].sum() > 0:
                share = float(plan_MN[np.ix_(foreign, english)].sum() / sent)
                shares_of[MASS].append(share)
                shares_of[CHANCE].append(float(plan_MN[:, english].sum() / plan_MN.sum()))
                if link.translated:
                    shares_of[MASS_TRANSLATED].append(share)
        yield from ((pair.number, name, sum(shares) / len(shares)) for name, shares in shares_of.items() if shares)


def read_linked_pairs(bitext: str | Path, lexicon: str | Path, tokeniser: Tokenizer) -> list[LinkedPair]:
    """Read sentence pairs (TSV: English, foreign) that hold names of a lexicon; none at all is a `DataError`."""
    pairs = linked_pairs(tokeniser, read_rows(bitext, 2), read_lexicon(lexicon))
    if not pairs:
        hint = "hold out more pairs (bitext_cleaning.dev_pairs), or give a lexicon of the words in them"
        raise DataError("no sentence pair with a name of the lexicon on both sides", where=bitext, hint=hint)
    return pairs
