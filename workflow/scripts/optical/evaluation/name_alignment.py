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
from torch import Tensor

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

    def encoded(text: str) -> Encoding:
        return tokeniser.encode(text, add_special_tokens=False)

    names = [(encoded(english).ids, encoded(foreign).ids) for english, foreign in lexicon]
    linked = []
    for number, (english_text, foreign_text, *_) in enumerate(pairs, start=1):
        english, foreign = encoded(english_text), encoded(foreign_text)
        if links := _links(english, foreign, names):
            linked.append(LinkedPair(number, foreign.ids, english.ids, links))
    return linked


def _links(english: Encoding, foreign: Encoding, names: Iterable[tuple[list[int], list[int]]]) -> list[Link]:
    """Return the names (English, foreign) that both sides of a pair hold; a subword goes to the first of them."""
    taken_english: set[int] = set()
    taken_foreign: set[int] = set()
    links = []
    for english_name, foreign_name in names:
        english_places = _places(english, english_name, taken_english)
        foreign_places = _places(foreign, foreign_name, taken_foreign)
        if english_places and foreign_places:
            taken_english.update(english_places)
            taken_foreign.update(foreign_places)
            links.append(Link(foreign_places, english_places, translated=english_name != foreign_name))
    return links


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
    english_V, foreign_V = weights
    foreign_BMD, foreign_BM, foreign_weights_BM = _read(encoders[0], [pair.foreign for pair in pairs], kind, foreign_V)
    english_BND, english_BN, english_weights_BN = _read(encoders[1], [pair.english for pair in pairs], kind, english_V)
    cost_BMN = token_cost(foreign_BMD, english_BND)
    plan_BMN = transport_plan(cost_BMN, foreign_BM, english_BN, transport, foreign_weights_BM, english_weights_BN)
    before_foreign, before_english = (len(encoder.before(kind)) for encoder in encoders)
    return plan_BMN[:, before_foreign:, before_english:].numpy()


def _read(
    encoder: Encoder, texts: Sequence[list[int]], kind: str, weights_V: np.ndarray
) -> tuple[Tensor, Tensor, Tensor]:
    """Return token vectors (B, L, D), where words are (B, L), and the weights of tokens (B, L), on the processor."""
    ids_BL, attention_BL, keep_BL = encoder.frame(texts, kind)
    vectors_BLD = encoder.eval()(ids_BL, attention_BL).cpu()
    mask_BL = keep_BL & encoder.content_mask(ids_BL, attention_BL, kind)
    return vectors_BLD, mask_BL, torch.from_numpy(weights_V)[ids_BL]


def pair_figures(plan_BMN: np.ndarray, pairs: Sequence[LinkedPair]) -> Iterator[tuple[int, str, float]]:
    """Yield (number of the pair, measure, value) of every pair whose names have mass, for each of `MEASURES`.

    `mass_translated` counts only names that are spelt differently: equal subwords are similar from the start.
    """
    for plan_MN, pair in zip(plan_BMN, pairs, strict=True):
        shares_of: dict[str, list[float]] = {measure: [] for measure in MEASURES}
        for link in pair.links:
            foreign = [place for place in link.foreign if place < plan_MN.shape[0]]  # beyond it, the text was cut
            english = [place for place in link.english if place < plan_MN.shape[1]]
            sent, received = plan_MN[foreign].sum(), plan_MN[:, english].sum()
            if not (sent > 0 and received > 0):
                continue
            share = float(plan_MN[np.ix_(foreign, english)].sum() / sent)
            shares_of[MASS].append(share)
            shares_of[CHANCE].append(float(received / plan_MN.sum()))
            if link.translated:
                shares_of[MASS_TRANSLATED].append(share)
        for measure, shares in shares_of.items():
            if shares:
                yield pair.number, measure, sum(shares) / len(shares)


def read_linked_pairs(bitext: str | Path, lexicon: str | Path, tokeniser: Tokenizer) -> list[LinkedPair]:
    """Read sentence pairs (TSV: English, foreign) that hold names of a lexicon; none at all is a `DataError`."""
    pairs = linked_pairs(tokeniser, read_rows(bitext, 2), read_lexicon(lexicon))
    if not pairs:
        hint = "hold out more pairs (bitext_cleaning.dev_pairs), or give a lexicon of the words in them"
        raise DataError("no sentence pair with a name of the lexicon on both sides", where=bitext, hint=hint)
    return pairs
