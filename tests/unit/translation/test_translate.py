"""Checkpoints of other translators: NLLB-200, M2M-100 and Marian."""

import json

import pytest
import torch

from optical.errors import ConfigError, DataError
from optical.translation.translate import Translator
from support.grammar import sentences
from support.tiny_models import save_encoder, save_m2m100, save_nllb


def many_languages(folder, kind):
    """Save an NLLB-200 or M2M-100 of random weights with its own kind of tokeniser."""
    from transformers import M2M100Tokenizer

    if kind == "nllb":
        return save_nllb(folder)
    model = sentencepiece(folder)
    vocabulary = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}
    for index in range(3, model.get_piece_size()):
        vocabulary.setdefault(model.id_to_piece(index), len(vocabulary))
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    return save_m2m100(folder, M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "made.model")))


def sentencepiece(folder, name="made"):
    pieces = pytest.importorskip("sentencepiece", reason="M2M-100 and Marian need sentencepiece")
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / f"{name}.txt"
    text.write_text("".join(f"{english}\n{foreign}\n" for english, foreign in sentences()))
    pieces.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / name), vocab_size=60, minloglevel=2, num_threads=1
    )
    return pieces.SentencePieceProcessor(model_file=str(folder / f"{name}.model"))


@pytest.mark.parametrize(
    ("kind", "codes", "tokens"),
    [("nllb", ("swh_Latn", "eng_Latn"), ("swh_Latn", "eng_Latn")), ("m2m", ("sw", "en"), ("__sw__", "__en__"))],
)
def test_checkpoints_of_many_languages_are_told_source_and_target(tmp_path, monkeypatch, kind, codes, tokens):
    folder = many_languages(tmp_path / kind, kind)
    translator = Translator(folder, *codes)
    source, target = (translator.tokeniser.convert_tokens_to_ids(token) for token in tokens)
    seen, generate = [], translator.model.generate

    def watched(**arguments):
        seen.append((arguments["input_ids"], generate(**arguments)))
        return seen[-1][1]

    monkeypatch.setattr(translator.model, "generate", watched)
    texts = translator.translate(["mfalme aona", "jiwe"], beams=2)
    source_BS, output_BT = seen[0]
    assert (source_BS[:, 0] == source).all(), "the source's code comes first"
    assert (output_BT[:, 1] == target).all(), "the target's code is forced as the first token"
    assert not any(tokens[1] in text for text in texts), "and is no word of the translation"
    with pytest.raises(ConfigError, match="no language 'xx_Yyyy'"):
        Translator(folder, "xx_Yyyy", codes[1])


def test_marian_checkpoints_need_no_codes(tmp_path):
    from transformers import MarianConfig, MarianMTModel, MarianTokenizer

    model = sentencepiece(tmp_path, "source")
    (tmp_path / "target.model").write_bytes((tmp_path / "source.model").read_bytes())
    pieces = ["</s>", "<unk>", *(model.id_to_piece(index) for index in range(3, model.get_piece_size())), "<pad>"]
    (tmp_path / "vocab.json").write_text(json.dumps({piece: index for index, piece in enumerate(pieces)}))
    files = (tmp_path / "source.model", tmp_path / "target.model", tmp_path / "vocab.json")
    MarianTokenizer(*map(str, files)).save_pretrained(tmp_path / "marian")
    layers = {f"{side}_{name}": 1 for side in ("encoder", "decoder") for name in ("layers", "attention_heads")}
    pad = len(pieces) - 1
    config = MarianConfig(
        vocab_size=len(pieces),
        d_model=16,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        max_position_embeddings=32,
        pad_token_id=pad,
        eos_token_id=0,
        decoder_start_token_id=pad,
        forced_eos_token_id=0,
        **layers,
    )
    torch.manual_seed(0)
    MarianMTModel(config).save_pretrained(tmp_path / "marian")
    translator = Translator(tmp_path / "marian")
    texts = ["mfalme aona jiwe", "mto " * 100]
    translations = translator.translate(texts)
    assert all(translations), "long texts are cut"
    assert translations == translator.translate(texts), "nothing is random"
    with pytest.raises(ConfigError, match="no language 'sw'"):
        Translator(tmp_path / "marian", "sw", "en")


def test_what_is_no_translator_is_refused_in_one_line(tmp_path):
    with pytest.raises(DataError, match="no config.json"):
        Translator(tmp_path)
    with pytest.raises(DataError, match="cannot load the translator"):
        Translator(save_encoder(tmp_path / "encoder"))
