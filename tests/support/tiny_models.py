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

    from optical.config.encoder import EncoderSettings
    from optical.models.encoder import Encoder
    from optical.text.tokeniser import save_tokeniser, train_tokeniser

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


def save_bert(folder: Path, words: list[str]) -> Path:
    """Save a random BERT as Google's multilingual one lies on the hub: a masked language model, no ColBERT.

    Its spare tokens begin at [unused1]. Of the words every piece that letters make is known, and each word as a whole.
    """
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
    from transformers import BertConfig, BertForMaskedLM

    from optical.files import write_json, write_lines

    folder.mkdir(parents=True, exist_ok=True)
    letters = sorted({letter for word in words for letter in word})
    names = ["[PAD]", "[unused1]", "[unused2]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary = [*names, *letters, *(f"##{letter}" for letter in letters), *sorted({*words} - {*letters})]
    tokeniser = Tokenizer(models.WordPiece({word: index for index, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokeniser.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokeniser.add_special_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    tokeniser.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"do_lower_case": False, "model_max_length": 512})
    write_lines(folder / "vocab.txt", vocabulary)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    torch.manual_seed(0)
    BertForMaskedLM(BertConfig(vocab_size=len(vocabulary), **sizes)).save_pretrained(folder)
    return folder


def save_xlmr(folder: Path) -> Path:
    """Save a random XLM-R as it lies on the hub: no spare tokens, positions from 2, lengths by its tokeniser."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

    from optical.files import write_json

    folder.mkdir(parents=True, exist_ok=True)
    names = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = [*names, "▁", *"abcdefghijklmnopqrstuvwxyz", "<mask>"]
    tokeniser = Tokenizer(models.Unigram([(piece, -float(len(piece))) for piece in pieces], unk_id=3))
    tokeniser.pre_tokenizer, tokeniser.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    tokeniser.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokeniser.add_special_tokens([*names, "<mask>"])
    tokeniser.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"model_max_length": 60})
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
    positions = {"max_position_embeddings": 62, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}
    torch.manual_seed(0)
    config = XLMRobertaConfig(vocab_size=tokeniser.get_vocab_size(), type_vocab_size=1, **sizes, **positions)
    XLMRobertaForMaskedLM(config).save_pretrained(folder)
    return folder


def save_nllb(folder: Path, safetensors: bool = True) -> Path:
    """Save a random NLLB-200 whose subwords are letters; without safetensors its weights are a torch pickle."""
    from transformers import NllbTokenizer

    letters = ["<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz"]
    tokeniser = NllbTokenizer(vocab={letter: index for index, letter in enumerate(letters)}, merges=[])
    save_m2m100(folder, tokeniser)
    if not safetensors:
        import torch
        from safetensors.torch import load_file

        torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    return folder


def save_m2m100(folder: Path, tokeniser: object) -> Path:
    """Save a random M2M-100, which NLLB-200 is too, with its tokeniser."""
    import torch
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    tokeniser.save_pretrained(folder)
    torch.manual_seed(0)
    layers = {f"{side}_{name}": 1 for side in ("encoder", "decoder") for name in ("layers", "attention_heads")}
    sizes = {"d_model": 16, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 64}
    model = M2M100ForConditionalGeneration(M2M100Config(vocab_size=len(tokeniser) + 200, **layers, **sizes))
    model.save_pretrained(folder)
    return folder
