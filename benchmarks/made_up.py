"""Encoders with random weights and texts of made-up words, of the sizes and lengths of real ones: time is the same."""

from pathlib import Path

import numpy as np
from measuring import ROOT  # noqa: F401  (the library is found through it)
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from optical.config.encoder import EncoderSettings
from optical.models.encoder import Encoder
from optical.models.folders import load_encoder
from optical.text.token_files import write_token_file
from optical.text.tokeniser import SPECIAL_TOKENS, save_tokeniser

SIZES = {
    "tiny": {"vocab_size": 500, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
    "minilm": {"vocab_size": 30_522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12},
    "e5-small": {"vocab_size": 250_037, "hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 12},
    "mbert": {"vocab_size": 119_547, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "xlmr": {"vocab_size": 250_002, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
}
# Of 5,068 real pairs of NTREX-128 and TICO-19, English and Swahili: the logarithm of the English length, and of the
# ratio of the lengths (mean, standard deviation), in MiniLM's subwords and in those of XLM-R.
LENGTHS = {"minilm": ((3.230, 0.578), (0.668, 0.197)), "xlmr": ((3.331, 0.577), (0.153, 0.167))}
PASSAGE_LENGTH = (4.6, 0.45)  # logarithm of the tokens of a passage of MS MARCO's kind: mean, standard deviation


def new_encoder(folder: Path, size: str) -> Encoder:
    """An encoder of a size with random weights, saved and loaded as a trained one would be."""
    shape = SIZES[size]
    config = BertConfig(**shape, intermediate_size=4 * shape["hidden_size"], max_position_embeddings=512)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    words = SPECIAL_TOKENS + [f"w{index}" for index in range(shape["vocab_size"] - len(SPECIAL_TOKENS))]
    tokeniser = Tokenizer(models.WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokeniser.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokeniser.add_special_tokens(SPECIAL_TOKENS)
    save_tokeniser(tokeniser, folder, 512)
    load_encoder(folder, EncoderSettings(query_length=256, document_length=180)).save(folder)
    return load_encoder(folder)


def write_bitext(
    folder: Path, encoder_folder: Path, pairs: int, vocabulary: int, lengths_of: str = "minilm"
) -> list[str]:
    """Write sentence pairs as token files, `english` and `foreign`; return the texts of the foreign side."""
    generator = np.random.default_rng(0)
    english_length, length_ratio = LENGTHS[lengths_of]
    english_lengths = np.exp(generator.normal(*english_length, pairs)).round().clip(2, 250)
    foreign_lengths = (english_lengths * np.exp(generator.normal(*length_ratio, pairs))).round().clip(2, 250)
    for name, lengths in (("english", english_lengths), ("foreign", foreign_lengths)):
        ranks = [generator.zipf(1.3, int(length)) % (vocabulary - len(SPECIAL_TOKENS)) for length in lengths]
        texts = [" ".join(f"w{rank}" for rank in text) for text in ranks]
        write_token_file(folder / name, encoder_folder, texts)
    return texts


def passages(count: int, longest: int) -> list[str]:
    """Passages of at most so many words."""
    generator = np.random.default_rng(0)
    lengths = np.exp(generator.normal(*PASSAGE_LENGTH, count)).round().clip(10, longest).astype(int)
    return [" ".join(f"w{rank % 400}" for rank in generator.zipf(1.3, length)) for length in lengths]


def forward_operations(lengths: np.ndarray, size: str) -> float:
    """Operations of reading texts: two a weight and real token, and those of the attention. Training takes thrice."""
    hidden, layers = SIZES[size]["hidden_size"], SIZES[size]["num_hidden_layers"]
    weights = layers * 12 * hidden**2 + hidden * 128
    return float(2 * weights * lengths.sum() + 4 * layers * hidden * (lengths.astype(float) ** 2).sum())
