"""Pre-training a small multilingual encoder from scratch by masked language modelling (Devlin et al., NAACL 2019).

`encoder_pairs` adds sentence pairs.

Shape suffixes: B texts, L tokens, H hidden size, K masked positions, V vocabulary.
"""

import torch
from torch import Tensor, nn

from optical.config.encoder import Architecture
from optical.config.fitting import FROM_SCRATCH
from optical.config.training import PretrainingSettings
from optical.errors import ConfigError
from optical.models.encoder import DOCUMENT, Encoder
from optical.models.unpadding import Transformer, read_tokens
from optical.runtime.devices import send
from optical.text.token_files import TokenFile
from optical.training.batches import EpochBatches
from optical.training.loop import LossOfPart


def new_transformer(architecture: Architecture, vocabulary_size: int, longest: int, seed: int) -> Transformer:
    """Return a BERT of random weights whose token vectors are, before any training, close to their word embeddings.

    Positions and residual branches start small, so equal words have similar vectors from the first step. Late
    interaction then begins as word matching, and a small number of steps is enough to learn the rest.

    Args:
        architecture: its size.
        vocabulary_size: subwords of the tokeniser.
        longest: maximum number of tokens of a text, special tokens included.
        seed: of the random weights.
    """
    from transformers import BertConfig, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=vocabulary_size,
        hidden_size=architecture.hidden_size,
        num_hidden_layers=architecture.layers,
        num_attention_heads=architecture.heads,
        intermediate_size=architecture.intermediate_size,
        max_position_embeddings=longest,
        type_vocab_size=1,
        hidden_act="relu",  # half the time of GELU on a CPU
        hidden_dropout_prob=0.0,  # so small a model underfits: dropout only costs time
        attention_probs_dropout_prob=0.0,
    )
    setattr(config, FROM_SCRATCH, True)
    model: Transformer = BertModel(config, add_pooling_layer=False)
    small = [model.embeddings.position_embeddings, model.embeddings.token_type_embeddings]
    for layer in model.encoder.layer:
        small += [layer.attention.output.dense, layer.output.dense]
    with torch.no_grad():
        for module in small:
            module.weight.mul_(0.1)
    return model


class MaskedLanguageModel(nn.Module):
    """An encoder that predicts masked tokens; the output layer shares the input embeddings."""

    def __init__(self, encoder: Encoder):
        super().__init__()
        self.encoder = encoder
        vocabulary_size, hidden = encoder.transformer.get_input_embeddings().weight.shape
        self.transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))
        self.vocabulary_size = vocabulary_size

    def forward(
        self, ids_BL: Tensor, attention_BL: Tensor, mask_share: float, positions_L: Tensor | None = None
    ) -> Tensor:
        """Return the mean cross-entropy of the masked tokens: 80 % [MASK], 10 % random, 10 % unchanged.

        The tensors are on the processor, wherever the model is, because random numbers are drawn there. `positions_L`
        are the positions of the tokens, if they do not simply count up.
        """
        hideable_BL = self.encoder.content_mask(ids_BL, attention_BL, DOCUMENT)
        hidden_BL = hideable_BL & (torch.rand(ids_BL.shape) < mask_share)
        targets_K = ids_BL[hidden_BL]
        if len(targets_K) == 0:  # a batch of empty texts teaches nothing
            return self.bias.sum() * 0.0
        dice_K = torch.rand(targets_K.shape)
        random_K = torch.randint(self.vocabulary_size, targets_K.shape)
        seen_K = torch.where(dice_K < 0.8, self.encoder.mask_id, torch.where(dice_K < 0.9, random_K, targets_K))
        corrupted_BL = ids_BL.masked_scatter(hidden_BL, seen_K)
        read_BL = attention_BL.bool()
        hidden_TH, _ = read_tokens(self.encoder.transformer, corrupted_BL, attention_BL, read_BL, positions_L)
        output_KH = hidden_TH[send(hidden_BL[read_BL].nonzero()[:, 0], hidden_TH.device)]
        embeddings_VH = self.encoder.transformer.get_input_embeddings().weight
        logits_KV = nn.functional.linear(self.transform(output_KH), embeddings_VH, self.bias)
        return nn.functional.cross_entropy(logits_KV.float(), send(targets_K, logits_KV.device))

    def token_vectors(self, ids_BL: Tensor, attention_BL: Tensor) -> Tensor:
        """Return the unit hidden states of every token, float32 (B, L, H): the teacher trains its own projection."""
        hidden_TH, layout = read_tokens(self.encoder.transformer, ids_BL, attention_BL, attention_BL.bool())
        return layout.pad(nn.functional.normalize(hidden_TH.float(), dim=-1))


class PretrainingLoss:
    """The masked-language-model loss of one part of one step, plus the loss of sentence pairs, if any.

    The texts are masked first: their random numbers are the same with and without pairs.
    """

    def __init__(
        self,
        model: MaskedLanguageModel,
        texts: TokenFile,
        settings: PretrainingSettings,
        pairs: LossOfPart | None = None,
    ):
        """Prepare the loss.

        Args:
            model: is trained.
            texts: of all languages.
            settings: the weight of the masked texts, `objectives.mlm`, and the share of tokens to mask.
            pairs: returns the weighted loss of the sentence pairs of the same part.

        Raises:
            ConfigError: there is nothing to learn.
        """
        self.model, self.texts, self.settings, self.pairs = model, texts, settings, pairs
        if not settings.objectives.mlm and pairs is None:
            hint = "give mlm, tlm or optimal_transport a weight above 0"
            raise ConfigError("nothing to learn", where="pretraining.objectives", hint=hint)
        self.batches = EpochBatches(texts.lengths, settings.batch_size, settings.seed)

    def __call__(self, position: int) -> tuple[Tensor, dict[str, Tensor]]:
        losses, figures = [], {}
        if self.settings.objectives.mlm:
            masked = self._masked_texts(position)
            losses.append(self.settings.objectives.mlm * masked)
            figures["mlm"] = masked.detach()
        if self.pairs is None:
            return losses[0], {}
        loss_of_pairs, figures_of_pairs = self.pairs(position)
        return torch.stack([*losses, loss_of_pairs]).sum(), figures | figures_of_pairs

    def _masked_texts(self, position: int) -> Tensor:
        texts = [self.texts[index] for index in self.batches[position]]
        ids_BL, attention_BL, _ = self.model.encoder.frame(texts, DOCUMENT)
        return self.model(ids_BL, attention_BL, self.settings.mask_share)
