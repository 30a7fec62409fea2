"""Folders as PyLate saves them, of many architectures and with random weights, made without code of this project."""

import json
from pathlib import Path

SIZES = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64}
POSITIONS = 190
# Architecture -> its tokeniser, and what its config has beside the sizes.
ARCHITECTURES = {
    "bert": ("wordpiece", {}),
    "distilbert": ("wordpiece", {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64}),
    "electra": ("wordpiece", {"embedding_size": 32}),
    "albert": ("unigram", {"embedding_size": 16}),
    "roberta": ("bytes", {}),
    "xlm-roberta": ("unigram", {}),
    "camembert": ("unigram", {}),
    "mpnet": ("wordpiece", {}),
    "modernbert": ("bytes", {"local_attention": 8, "global_attn_every_n_layers": 2}),
    "mmbert": ("gemma", {"local_attention": 8, "global_attn_every_n_layers": 2}),
    "deberta-v2": ("unigram", {"relative_attention": True, "position_biased_input": False, "pos_att_type": ["p2c"]}),
    "xmod": ("unigram", {"languages": ["en_XX"], "default_language": "en_XX"}),
    "data2vec-text": ("bytes", {}),
    "big_bird": ("unigram", {}),
    "rembert": ("unigram", {"input_embedding_size": 32}),
}
SPECIAL = {  # [CLS], [SEP], [PAD], [UNK], [MASK] of each tokeniser
    "wordpiece": ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"),
    "unigram": ("<s>", "</s>", "<pad>", "<unk>", "<mask>"),
    "bytes": ("<s>", "</s>", "<pad>", "<unk>", "<mask>"),
    "gemma": ("<bos>", "<eos>", "<pad>", "<unk>", "<mask>"),
}
NAMES = {"gemma": ("bos_token", "eos_token", "pad_token", "unk_token", "mask_token")}
WORDS = ("the", "moon", "river", "Moon", "is", "in", "north", "question", "about", "query", "passage")
TEXTS = ("The moon, about a river!", "is the Moon in the north?", "moon (river) xyz " * 9, "query: the question", "?!")


def save_tokeniser(folder: Path, kind: str, more: tuple[str, ...] = ("[Q] ", "[D] "), **config: object) -> int:
    """Save a tokeniser with markers as PyLate adds them; return the size of its vocabulary."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    special = SPECIAL[kind]
    letters = [chr(number) for number in range(33, 127)]
    if kind == "wordpiece":
        pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *WORDS]
        tokeniser = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(pieces)}, unk_token="[UNK]"))
        tokeniser.normalizer = normalizers.BertNormalizer(lowercase=False)
        tokeniser.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    elif kind == "bytes":
        merges = [("Ġ", "m"), ("Ġ", "r"), ("o", "o"), ("oo", "n"), ("m", "oon"), ("Ġm", "oon")]
        pieces = [*special, *sorted(pre_tokenizers.ByteLevel.alphabet()), *(one + other for one, other in merges)]
        vocabulary = {piece: place for place, piece in enumerate(pieces)}
        tokeniser = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>"))
        tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    else:
        pieces = [*special, "▁", *letters, *(f"▁{word}" for word in WORDS)]
        tokeniser = Tokenizer(models.Unigram([(piece, -float(len(piece) > 1)) for piece in pieces], unk_id=3))
        tokeniser.pre_tokenizer = pre_tokenizers.Metaspace()
    tokeniser.add_special_tokens([*special])
    cls, sep = special[:2]
    places = [(token, tokeniser.token_to_id(token)) for token in (cls, sep)]
    tokeniser.post_processor = processors.TemplateProcessing(single=f"{cls} $A {sep}", special_tokens=places)
    tokeniser.add_tokens([*more])
    folder.mkdir(parents=True, exist_ok=True)
    tokeniser.save(str(folder / "tokenizer.json"))
    names = NAMES.get(kind, ("cls_token", "sep_token", "pad_token", "unk_token", "mask_token"))
    named = dict(zip(names, special, strict=True))
    write(folder / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **named, **config})
    return tokeniser.get_vocab_size()


def save_transformer(folder: Path, architecture: str, **config: object) -> Path:
    """Save a transformer with random weights and its tokeniser."""
    import torch
    from transformers import AutoConfig, AutoModel

    kind, own = ARCHITECTURES[architecture]
    size = save_tokeniser(folder, kind)
    positions = {"max_position_embeddings": POSITIONS, "initializer_range": 0.3, "pad_token_id": 2}
    tokens = {"bos_token_id": 0, "eos_token_id": 1, "cls_token_id": 0, "sep_token_id": 1}
    sizes = {"vocab_size": size, **SIZES, **positions, **tokens, **own, **config}
    torch.manual_seed(0)
    model_type = "modernbert" if architecture == "mmbert" else architecture
    model = AutoModel.from_config(AutoConfig.for_model(model_type, **sizes))
    model.eval().save_pretrained(folder)
    return folder


def save_pylate(folder: Path, architecture: str, dense: dict[str, object] | None = None, **settings: object) -> Path:
    """Save a late-interaction model in the layout of PyLate; a setting that is None is written as null."""
    import torch
    from safetensors.torch import save_file

    save_transformer(folder, architecture)
    (folder / "1_Dense").mkdir()
    weight = torch.randn(16, 32, generator=torch.Generator().manual_seed(1)) / 6
    save_file({"linear.weight": weight}, folder / "1_Dense/model.safetensors")
    identity = {"activation_function": "torch.nn.modules.linear.Identity"}
    layer = {"in_features": 32, "out_features": 16, "bias": False, **identity, "use_residual": False}
    write(folder / "1_Dense/config.json", layer | (dense or {}))
    kinds = (("", "sentence_transformers.models.Transformer"), ("1_Dense", "pylate.models.Dense.Dense"))
    modules = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(kinds)]
    write(folder / "modules.json", modules)
    write(folder / "sentence_bert_config.json", {"max_seq_length": 19, "do_lower_case": False})
    usual = {"query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 12, "document_length": 20}
    usual |= {"do_query_expansion": False, "attend_to_expansion_tokens": False, "skiplist_words": None}
    usual |= {"prompts": {}, "default_prompt_name": None, "similarity_fn_name": "MaxSim", "model_type": "ColBERT"}
    write(folder / "config_sentence_transformers.json", usual | settings)
    return folder


def change(path: Path, **changes: object) -> None:
    """Change keys of a JSON file; those that become ... are removed."""
    values = json.loads(path.read_text(encoding="utf-8")) | changes
    write(path, {key: value for key, value in values.items() if value is not ...})


def write(path: Path, value: object) -> None:
    """Write a JSON file."""
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
