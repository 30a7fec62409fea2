"""The word-piece tokeniser: how it is trained, saved and loaded, and the token ids that it gives."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from optical.config.model_folders import json_of, refuse_pointer
from optical.errors import DataError
from optical.files import write_json
from optical.runtime.base import base_of
from optical.seals import check_file, sha256_of_same

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[Q]", "[D]"]
NAMES = {"pad": "[PAD]", "unk": "[UNK]", "cls": "[CLS]", "sep": "[SEP]", "mask": "[MASK]"}


def train_tokeniser(texts: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """Train a word-piece tokeniser that keeps combining marks, which carry the vowels of Devanagari.

    BERT's own normaliser strips every mark of the Unicode class Mn, and with them Marathi vowels.

    >>> tokeniser = train_tokeniser(["the moon", "the sun", "चंद्र"] * 9, vocabulary_size=60)
    >>> tokeniser.encode("the moon").tokens
    ['the', 'moon']
    >>> "[UNK]" in tokeniser.encode("चंद्र").tokens
    False
    """
    vocabulary = learn_pieces(_new_tokeniser(None), texts, vocabulary_size)
    tokeniser = _new_tokeniser(vocabulary)
    tokeniser.add_special_tokens(SPECIAL_TOKENS)
    return tokeniser


def learn_pieces(blank: Tokenizer, texts: Iterable[str], vocabulary_size: int) -> dict[str, int]:
    """Return the subwords of texts and their numbers; `blank` is a tokeniser that has none and splits into words."""
    texts = list(texts)
    # The trainer meets words in the order of a randomly seeded hash table, numbers what continues a word as it comes,
    # and the numbers break ties among merges. As special tokens they have an order of their own.
    continuing = [f"##{sign}" for sign in sorted(_continuing_signs(blank, texts))]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary_size, special_tokens=SPECIAL_TOKENS + continuing, min_frequency=2, show_progress=False
    )
    blank.train_from_iterator(texts, trainer)
    return blank.get_vocab()


def _new_tokeniser(vocabulary: dict[str, int] | None) -> Tokenizer:
    tokeniser = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.decoder = decoders.WordPiece()
    return tokeniser


def _continuing_signs(tokeniser: Tokenizer, texts: Iterable[str]) -> set[str]:
    """Return the characters that occur within words, other than as their first."""
    signs: set[str] = set()
    for text in texts:
        for word, _ in tokeniser.pre_tokenizer.pre_tokenize_str(tokeniser.normalizer.normalize_str(text)):
            signs.update(word[1:])
    return signs


def save_tokeniser(tokeniser: Tokenizer, folder: Path, longest: int, names: Mapping[str, str] = NAMES) -> None:
    """Write the tokeniser as Hugging Face libraries read it: tokenizer.json and tokenizer_config.json.

    Args:
        tokeniser: puts its `cls` before each text and its `sep` behind it from now on.
        folder: to write to.
        longest: number of tokens of a text, at most.
        names: its special tokens, under `pad`, `unk`, `cls`, `sep` and `mask`.
    """
    cls, sep = (tokeniser.token_to_id(names[name]) for name in ("cls", "sep"))
    assert cls is not None and sep is not None, "special tokens are in every vocabulary"
    tokeniser.post_processor = processors.BertProcessing((names["sep"], sep), (names["cls"], cls))
    tokeniser.save(str(folder / "tokenizer.json"))
    write_json(
        folder / "tokenizer_config.json",
        {f"{name}_token": token for name, token in names.items()}
        | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest},
    )


def load_tokeniser(path: str | Path) -> Tokenizer:
    """Load `tokenizer.json`, given itself or its folder; a model that is stored as changes has that of its base.

    Files beside it may say that texts are lower-cased first: the tokeniser then does so itself.

    Raises:
        DataError: the file is missing or damaged.
    """
    path = Path(path)
    path = base_of(path) or path
    path = path / "tokenizer.json" if path.is_dir() else path
    if not path.is_file():
        raise DataError("no tokenizer.json", where=path, hint="save it with AutoTokenizer.save_pretrained")
    check_file(path)
    refuse_pointer(path)
    try:
        tokeniser = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no class of its own
        what = f"cannot load the tokeniser: {str(error).splitlines()[0]}"
        raise DataError(what, where=path, hint="is the download complete?") from error
    tokeniser.no_truncation()
    tokeniser.no_padding()
    if normaliser := _lower_casing(tokeniser, path.parent):
        tokeniser.normalizer = normaliser
    return tokeniser


def tokeniser_in(place: Path) -> Tokenizer:
    """Return the tokeniser of a file or folder, to be read only; a large one takes a second to load, so it is kept."""
    return _kept(place, sha256_of_same(place / "tokenizer.json" if place.is_dir() else place))


@lru_cache(maxsize=2)
def _kept(place: Path, _digest: str) -> Tokenizer:
    return load_tokeniser(place)


def _lower_casing(tokeniser: Tokenizer, folder: Path) -> normalizers.Normalizer | None:
    """Return another normaliser where the files of a model ask for one: BERT's, or any in front of which it lowers."""
    own = tokeniser.normalizer
    asked = json_of(folder, "tokenizer_config.json").get("do_lower_case")
    if isinstance(own, normalizers.BertNormalizer) and asked is not None and own.lowercase != asked:
        own.lowercase = bool(asked)
        return own
    if not json_of(folder, "sentence_bert_config.json").get("do_lower_case"):
        return None
    return normalizers.Sequence([normalizers.Lowercase(), *([own] if own else [])])


def vocabulary_size(tokeniser: Tokenizer) -> int:
    """Return how many rows a table needs that is looked up by token ids, which may have holes.

    >>> from tokenizers.models import WordPiece
    >>> vocabulary_size(Tokenizer(WordPiece({"the": 0, "moon": 2}, unk_token="the")))
    3
    """
    return max(tokeniser.get_vocab().values(), default=-1) + 1


def tokenise(tokeniser: Tokenizer, texts: Iterable[str], chunk: int = 4096) -> Iterator[list[int]]:
    """Yield the word-piece ids of each text, without special tokens."""
    pending: list[str] = []
    for text in texts:
        pending.append(text)
        if len(pending) == chunk:
            yield from _encode(tokeniser, pending)
            pending = []
    yield from _encode(tokeniser, pending)


def _encode(tokeniser: Tokenizer, texts: list[str]) -> Iterator[list[int]]:
    for encoding in tokeniser.encode_batch_fast(texts, add_special_tokens=False):
        yield encoding.ids
