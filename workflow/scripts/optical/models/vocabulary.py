"""Add subwords for a language that the encoder's tokeniser splits into single letters.

An English vocabulary cuts a Marathi sentence into its letters, without the vowels. So the vocabulary gets subwords that
are learnt from the language's side of the bitext (Chau and Smith 2021, arXiv 2106.09063). The vector of each starts as
the mean of those of the English subwords that a word aligner links it with, weighted by how often. The encoder then
reads the language word by word before the first step of training, and its sentences are half as long or less.

Shape suffixes: V pieces of the encoder's vocabulary, W pieces of the extended one, H hidden size.
"""

import json
import logging
from collections.abc import Sequence

import numpy as np
import torch
from scipy.sparse import coo_array
from tokenizers import Tokenizer, models

from optical.bitext.word_alignment import MOST_CELLS, align, count_tables
from optical.config.bitext import WordAlignment
from optical.config.model_folders import check_extensible
from optical.errors import DataError
from optical.models.encoder import Encoder
from optical.text.tokeniser import learn_pieces, vocabulary_size

log = logging.getLogger(__name__)

TextPair = tuple[str, str]  # English, foreign


def extend_vocabulary(encoder: Encoder, pairs: Sequence[TextPair], pieces: int, alignment: WordAlignment) -> None:
    """Give an encoder, in place, subwords learnt from the foreign side of a bitext; its own keep their numbers.

    Args:
        encoder: is changed.
        pairs: English and foreign texts.
        pieces: how many are learnt.
        alignment: how words are linked, on which the new pieces' vectors depend.

    Raises:
        ConfigError: the tokeniser is not made of subwords (BERT's kind).
        DataError: no word can be linked.
    """
    prompts = [encoder.settings.query_prompt, encoder.settings.document_prompt]
    tokeniser = extended_tokeniser(encoder.tokeniser, [foreign for _, foreign in pairs], pieces, prompts)
    embeddings = encoder.transformer.get_input_embeddings()
    vectors_WH = starting_vectors(
        embeddings.weight.data.numpy(),
        encoder.tokeniser,
        tokeniser,
        _sample(pairs),
        alignment,
    )
    encoder.transformer.resize_token_embeddings(len(vectors_WH), mean_resizing=False)
    encoder.transformer.get_input_embeddings().weight.data.copy_(torch.from_numpy(vectors_WH))
    encoder.tokeniser = tokeniser


def extended_tokeniser(
    tokeniser: Tokenizer, texts: Sequence[str], pieces: int, prompts: Sequence[str] = ()
) -> Tokenizer:
    """Return the tokeniser with about `pieces` subwords more, learnt from texts; those that it has are not added again.

    BERT's normaliser drops accents, and with them the vowels of Devanagari; the new one keeps them. Prompts are split
    as before, because a student reads as many of their subwords as its teacher.
    """
    state = json.loads(tokeniser.to_str())
    check_extensible(state["model"]["type"])
    if (state["normalizer"] or {}).get("type") == "BertNormalizer":
        state["normalizer"]["strip_accents"] = False
    normalising = Tokenizer.from_str(json.dumps(state))
    blank = Tokenizer(models.WordPiece(None, unk_token=state["model"]["unk_token"]))
    blank.normalizer, blank.pre_tokenizer = normalising.normalizer, normalising.pre_tokenizer
    known = tokeniser.get_vocab()
    new = set(learn_pieces(blank, texts, pieces)) - set(known)
    while True:
        numbered = {piece: number for number, piece in enumerate(sorted(new), start=max(known.values()) + 1)}
        model = state["model"] | {"vocab": state["model"]["vocab"] | numbered}
        extended = Tokenizer.from_str(json.dumps(state | {"model": model}))
        in_prompts = {piece for prompt in prompts for piece in extended.encode(prompt).tokens} & new
        if not in_prompts:
            return extended
        new -= in_prompts


def starting_vectors(
    vectors_VH: np.ndarray,
    tokeniser: Tokenizer,
    extended: Tokenizer,
    pairs: Sequence[TextPair],
    alignment: WordAlignment,
) -> np.ndarray:
    """Return the vectors that the pieces of the extended vocabulary start from, float32 of shape (W, H).

    A piece that the aligner links with English ones starts as their mean, whether it is new or not: *one* of the old
    vocabulary may be a word of the language. Old ones without a link stay as they are; new ones are the mean of all.
    """
    numbers, old = extended.get_vocab(), tokeniser.get_vocab()
    vectors_VH = vectors_VH[: vocabulary_size(tokeniser)]  # some models have rows beyond it, which were never trained
    english, foreign = (
        [encoding.tokens for encoding in side.encode_batch(texts, add_special_tokens=False)]
        for side, texts in zip((tokeniser, extended), map(list, zip(*pairs, strict=True)), strict=True)
    )
    sentences = [pair for pair in zip(english, foreign, strict=True) if all(pair)]
    cells = sum(len(english) * len(foreign) for english, foreign in sentences)
    if cells > MOST_CELLS:  # a script whose pieces are shorter than `_sample` takes them to be
        sentences = sentences[:: 2 + cells // MOST_CELLS]
    if not sentences:
        raise DataError("no sentence pair with words on both sides", hint="nothing can be aligned")
    to_english, _ = count_tables(sentences, align(sentences, alignment))
    for special in extended.get_added_tokens_decoder().values():
        to_english.pop(special.content, None)
    size = vocabulary_size(extended)
    vectors_WH = np.full((size, vectors_VH.shape[1]), vectors_VH.mean(0), np.float32)
    vectors_WH[: len(vectors_VH)] = vectors_VH
    links = [(numbers[piece], old[word], share) for piece, row in to_english.items() for word, share in row.items()]
    if not links:
        raise DataError("no subword is linked with an English one", hint="give more bitext, or vocabulary.pieces: 0")
    rows, columns, shares = zip(*links, strict=True)
    mixing_WV = coo_array((np.array(shares, np.float32), (rows, columns)), shape=(size, len(vectors_VH))).tocsr()
    linked = np.unique(rows)
    vectors_WH[linked] = mixing_WV[linked] @ vectors_VH
    new = len(numbers) - len(old)
    log.info("%d pieces, %d of them new, %d start as their translations", len(numbers), new, len(linked))
    return vectors_WH


def _sample(pairs: Sequence[TextPair]) -> Sequence[TextPair]:
    """Return so many pairs, evenly spread, that the aligner can hold them: a text has about a piece for 3 letters."""
    cells = sum(len(english) * len(foreign) for english, foreign in pairs) // 9
    return pairs[:: 1 + cells // MOST_CELLS]
