"""Small random models for tests: the right shape and layout, no training, made in a second."""

from pathlib import Path

TEXTS = (
    "the first question about the moon, and the sun.",
    "where is the river? the river is in the north!",
    "swali la kwanza kuhusu mwezi na jua",
    "mto uko wapi? mto uko kaskazini",
    "पहिला प्रश्न चंद्र आणि सूर्य बद्दल",
)


def save_encoder(folder: Path, seed: int = 0, tokeniser: str = "trained", **settings: object) -> Path:
    """Save a random late-interaction encoder of one layer into `folder` and return the folder.

    tokeniser: "trained" keeps marks and has [Q] and [D]; "bert" is BERT's own kind, with [unused0] and [unused1].
    """
    import torch
    from transformers import BertConfig, BertModel

    from optical.encoder import Encoder, EncoderSettings
    from optical.tokens import save_tokeniser, train_tokeniser

    folder.mkdir(parents=True, exist_ok=True)
    trained = train_tokeniser(TEXTS * 4, vocabulary_size=300)
    if tokeniser == "bert":
        trained = _like_bert(trained)
        settings = {"query_marker": "[unused0]", "document_marker": "[unused1]"} | settings
    save_tokeniser(trained, folder, longest=64)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=trained.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.3,
        pad_token_id=trained.token_to_id("[PAD]"),
    )
    settings = {"dimension": 16, "query_length": 12, "document_length": 20} | settings
    encoder = Encoder(BertModel(config, add_pooling_layer=False), folder, EncoderSettings(**settings))
    encoder.save(folder)
    return folder


def _like_bert(trained):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = [token for token, _ in sorted(trained.get_vocab().items(), key=lambda item: item[1])]
    renamed = {"[Q]": "[unused0]", "[D]": "[unused1]"}
    vocabulary = {renamed.get(word, word): index for index, word in enumerate(words)}
    tokeniser = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return tokeniser
