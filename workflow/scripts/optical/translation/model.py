"""The translator of the NMT baseline: a small sequence-to-sequence model that learns from the students' bitext.

It is a BART (Lewis et al., ACL 2020), which is Marian's post-norm transformer with learned positions. Some hundred
sentence pairs do not suffice to learn from random weights which source word a target word comes from and what it means,
so the model starts as one that copies, and its foreign words start as their English translations: the value path of
its attention to the source is the identity, and the vector of a foreign subword is the mean of those of the English
pieces that a word aligner links to it. Encoder and decoder can also take over the layers of the multilingual BERT from
which the students descend (Rothe et al., TACL 2020). The model is saved in the Hugging Face layout.

Shape suffixes: L positions, H hidden size, R foreign subwords that get a new vector, E subwords of English, V
vocabulary.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from optical.config.training import TranslatorSettings
from optical.errors import ConfigError
from optical.models.folders import load_transformer
from optical.models.framing import special_tokens, unknown_id
from optical.models.layout import quiet
from optical.models.unpadding import Transformer
from optical.runtime.limits import LARGE
from optical.text.tokeniser import load_tokeniser, save_tokeniser, vocabulary_size
from optical.training.subwords import RowsInUse

if TYPE_CHECKING:
    from transformers import BartConfig, BertConfig

IdTable = Mapping[int, Mapping[int, float]]  # foreign subword -> English subword -> P(English | foreign)

UNREACHABLE = -1e4  # logit of a subword that no English sentence holds; finite, for half precision's sake


def new_translator(settings: TranslatorSettings, tokeniser: str | Path, encoder: str | Path | None) -> Transformer:
    """Return an untrained translator.

    Args:
        settings: its shape, where it does not start from an encoder, and the seed of its random weights.
        tokeniser: folder with tokenizer.json.
        encoder: folder of a BERT with the same vocabulary, whose layers the translator takes over; None for none.

    Raises:
        ConfigError: the encoder is not a BERT, or the tokeniser does not put one token before and one behind a text.
    """
    from transformers import BartForConditionalGeneration

    bert = load_transformer(encoder) if encoder else None
    if bert and bert.config.model_type != "bert":
        raise ConfigError(
            f"a translator cannot start from a {bert.config.model_type} encoder",
            where=encoder,
            hint="set translator.warm_start: false, or take a BERT",
        )
    subwords = load_tokeniser(tokeniser)
    torch.manual_seed(settings.seed)
    shape = bert.config if bert else _new_shape(settings, vocabulary_size(subwords))
    config = _bart_config(shape, settings, special_tokens(subwords, tokeniser))
    model: Transformer = BartForConditionalGeneration(config)
    model.generation_config.update(no_repeat_ngram_size=3, repetition_penalty=1.3)  # small models stutter
    if bert:
        _take_over(model, bert)
    _let_sources_through(model)
    return model


def _new_shape(settings: TranslatorSettings, rows: int) -> "BertConfig":
    """Return the shape of a translator that does not start from an encoder, as that of a BERT; `rows` of subwords."""
    from transformers import BertConfig

    return BertConfig(
        vocab_size=rows,
        hidden_size=settings.hidden_size,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.intermediate_size,
        max_position_embeddings=settings.longest,
        hidden_act="relu",
    )


def _bart_config(
    shape: "BertConfig", settings: TranslatorSettings, special_ids: tuple[int, int, int, int]
) -> "BartConfig":
    """Return the config of a BART whose encoder and decoder have the shape of a BERT."""
    from transformers import BartConfig

    start, end, padding, _ = special_ids
    return BartConfig(
        vocab_size=shape.vocab_size,
        d_model=shape.hidden_size,
        encoder_layers=shape.num_hidden_layers,
        decoder_layers=shape.num_hidden_layers,
        encoder_attention_heads=shape.num_attention_heads,
        decoder_attention_heads=shape.num_attention_heads,
        encoder_ffn_dim=shape.intermediate_size,
        decoder_ffn_dim=shape.intermediate_size,
        max_position_embeddings=shape.max_position_embeddings,
        activation_function=shape.hidden_act,
        dropout=settings.dropout,
        attention_dropout=settings.dropout,
        bos_token_id=start,
        decoder_start_token_id=start,
        eos_token_id=end,
        pad_token_id=padding,
        forced_eos_token_id=None,
        # eager attention gives the weights that guidance needs, and is fast on short sentences
        attn_implementation="eager",  # type: ignore[call-arg]
    )


def saving(model: Transformer, tokeniser: str | Path, ids_read: Iterable[np.ndarray]) -> Callable[[Path], None]:
    """Prepare a translator for training, and return the function that saves it afterwards.

    If its vocabulary is large, it has only the rows in use until it is saved. AutoModelForSeq2SeqLM and AutoTokenizer
    read the folder.

    Args:
        model: will be trained, and is on its device already.
        tokeniser: folder with its tokenizer.json.
        ids_read: ids of the subwords of all its texts, without special tokens.
    """
    config = model.config
    framing = np.array([config.decoder_start_token_id, config.eos_token_id, config.pad_token_id])
    table = model.get_input_embeddings()
    rows = RowsInUse(model, table, [*ids_read, framing]) if table.num_embeddings > LARGE else None

    def save(folder: Path) -> None:
        if rows:
            rows.put_back()
        with quiet():
            model.save_pretrained(folder)
        subwords = load_tokeniser(tokeniser)
        cls, sep, pad, mask = special_tokens(subwords, tokeniser)
        ids = {"pad": pad, "unk": unknown_id(subwords), "cls": cls, "sep": sep, "mask": mask}
        names = {name: str(subwords.id_to_token(index)) for name, index in ids.items() if index is not None}
        save_tokeniser(subwords, folder, config.max_position_embeddings, names)

    return save


NAME_IN_BERT = {  # a part of BART's layer -> the same in BERT's
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "self_attn_layer_norm": "attention.output.LayerNorm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
    "final_layer_norm": "output.LayerNorm",
}


@torch.no_grad()
def _take_over(model: Transformer, bert: Transformer) -> None:
    """Copy BERT's embeddings and layers into encoder and decoder: the encoder then computes what BERT does."""
    embeddings = bert.embeddings
    positions_LH = embeddings.position_embeddings.weight + embeddings.token_type_embeddings.weight[0]
    model.model.shared.weight.copy_(embeddings.word_embeddings.weight)
    for side in (model.model.encoder, model.model.decoder):
        side.embed_positions.weight[side.embed_positions.offset :].copy_(positions_LH)
        side.layernorm_embedding.load_state_dict(embeddings.LayerNorm.state_dict())
        for layer, layer_of_bert in zip(side.layers, bert.encoder.layer, strict=True):
            for name, name_in_bert in NAME_IN_BERT.items():
                layer.get_submodule(name).load_state_dict(layer_of_bert.get_submodule(name_in_bert).state_dict())


@torch.no_grad()
def _let_sources_through(model: Transformer) -> None:
    for layer in model.model.decoder.layers:
        nn.init.eye_(layer.encoder_attn.v_proj.weight)
        nn.init.eye_(layer.encoder_attn.out_proj.weight)


@torch.no_grad()
def start_words_as_translations(model: Transformer, table: IdTable, english: Iterable[int]) -> None:
    """Give each subword that only the foreign side has the mean vector of its English translations.

    Args:
        model: is changed.
        table: P(English piece | foreign piece) by piece ids; the mean is weighted by its squares, so that what an
            aligner gets wrong now and then counts little.
        english: ids of the pieces of the bitext's English side, which keep their vectors.
    """
    kept = set(english)
    weights_VH = model.model.shared.weight
    means_RH, pieces = [], [piece for piece in sorted(table) if piece not in kept]
    for piece in pieces:
        translations = sorted(table[piece])
        squares = np.array([table[piece][translation] for translation in translations]) ** 2
        shares = torch.from_numpy(squares / squares.sum()).to(weights_VH)
        means_RH.append(shares @ weights_VH[translations])
    if pieces:
        weights_VH[pieces] = torch.stack(means_RH)


@torch.no_grad()
def keep_to(model: Transformer, pieces: Tensor) -> None:
    """Let the model write only these subwords, int64 (E,), because a joint vocabulary is mostly not English."""
    model.final_logits_bias.fill_(UNREACHABLE)  # saved with the model, so that the search keeps to them too
    model.final_logits_bias[:, pieces] = 0.0
    model.config.subwords_written = len(pieces)


@torch.no_grad()
def leave_out_unreachable(model: Transformer) -> Tensor | None:
    """Let the decoder of a translator from `keep_to` score only the subwords that it may write.

    Scores of 250,002 subwords, most of which are no English, would take nearly all of the time and memory of a search.
    The ids that the decoder reads and writes are then places in the list that is returned.

    Args:
        model: is changed; the ids that its encoder reads are not.

    Returns:
        The ids of these subwords, int64, ascending; None where all subwords may be written, or a small vocabulary makes
        this pointless.
    """
    bias = getattr(model, "final_logits_bias", None)
    if bias is None or model.config.vocab_size <= LARGE or not (bias == UNREACHABLE).any():
        return None
    framing = ("bos_token_id", "decoder_start_token_id", "eos_token_id", "pad_token_id")
    ids_of_framing = [getattr(model.generation_config, name) for name in framing]
    ids_E = torch.cat([torch.nonzero(bias[0] != UNREACHABLE)[:, 0], torch.tensor(ids_of_framing, device=bias.device)])
    ids_E = ids_E.unique()
    model.lm_head.weight = nn.Parameter(model.lm_head.weight[ids_E], requires_grad=False)
    model.final_logits_bias = bias[:, ids_E]
    model.get_decoder().embed_tokens.register_forward_pre_hook(lambda _, ids: (ids_E[ids[0]],))
    for name, index in zip(framing, ids_of_framing, strict=True):
        setattr(model.generation_config, name, int(torch.searchsorted(ids_E, index)))
    return ids_E
