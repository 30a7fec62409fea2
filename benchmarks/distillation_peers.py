"""What distillation is compared with: the loop that one writes first, and sentence-transformers' trainer.

Shape suffixes: B pairs, M tokens of the student's side, N tokens of the teacher's side, D vector size, L tokens.
"""

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot
import torch
from measuring import memory_as_usual, peer_seconds
from torch import Tensor

from optical.config.training import TrainingSettings
from optical.config.transport import TransportSettings
from optical.losses.transport import marginals
from optical.models.encoder import Encoder
from optical.models.export import PaddedEncoder
from optical.models.folders import load_encoder, load_transformer
from optical.text.token_files import TokenFile, bitext_token_weights
from optical.training.batches import EpochBatches
from optical.training.loop import prepare

PairLoss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]  # vectors and token weights of both sides


def pair_losses(transport: TransportSettings) -> dict[str, PairLoss]:
    """The objectives for a single pair, as POT and torch have them at hand."""

    def optical(student_MD: Tensor, teacher_ND: Tensor, weights_M: Tensor, weights_N: Tensor) -> Tensor:
        student_MD, masses_M = _with_mass(student_MD, weights_M)
        teacher_ND, masses_N = _with_mass(teacher_ND, weights_N)
        cost_MN = 1 - student_MD @ teacher_ND.T
        settings = {"numItermax": transport.iterations, "stopThr": transport.tolerance, "warn": False}
        plan_MN = ot.sinkhorn(masses_M, masses_N, cost_MN.detach(), transport.regularisation, **settings)
        return (plan_MN * cost_MN).sum()

    def mse(student_MD: Tensor, teacher_ND: Tensor, *_: Tensor) -> Tensor:
        return (student_MD.mean(0) - teacher_ND.mean(0)).square().sum()

    return {"optical": optical, "mse": mse}


def _with_mass(vectors_LD: Tensor, weights_L: Tensor) -> tuple[Tensor, Tensor]:
    """The tokens that have mass, by which POT divides, and how much they have."""
    masses_L = marginals(torch.ones_like(weights_L)[None], weights_L[None])[0]
    return vectors_LD[masses_L > 0], masses_L[masses_L > 0]


class PlainLoss:
    """The loss of some pairs in one padded batch, the teacher read again and the objective taken pair by pair."""

    def __init__(self, student: Encoder, teacher: Encoder, tokens: Path, pair_loss: PairLoss):
        self.student, self.teacher, self.pair_loss = student, teacher, pair_loss
        self.read_foreign, self.read_english = PaddedEncoder(student), PaddedEncoder(teacher)
        self.english, self.foreign = TokenFile(tokens / "english"), TokenFile(tokens / "foreign")
        weights = bitext_token_weights(tokens, student.tokeniser.get_vocab_size())
        self.english_weights, self.foreign_weights = map(torch.from_numpy, weights)
        self.device = next(student.parameters()).device

    def __call__(self, pairs: np.ndarray) -> Tensor:
        ids_BM, attention_BM, _ = self.student.frame([self.foreign[pair] for pair in pairs], "query")
        english_BN, english_attention_BN, _ = self.teacher.frame([self.english[pair] for pair in pairs], "query")
        with torch.no_grad():
            teacher_BND = self.read_english(english_BN.to(self.device), english_attention_BN.to(self.device))
        student_BMD = self.read_foreign(ids_BM.to(self.device), attention_BM.to(self.device))
        keep_BM = self.student.content_mask(ids_BM, attention_BM, "query")
        keep_BN = self.teacher.content_mask(english_BN, english_attention_BN, "query")
        losses = []
        for row in range(len(pairs)):
            keep_M, keep_N = keep_BM[row], keep_BN[row]
            weights_M = self.foreign_weights[ids_BM[row][keep_M]].to(self.device)
            weights_N = self.english_weights[english_BN[row][keep_N]].to(self.device)
            losses.append(self.pair_loss(student_BMD[row][keep_M], teacher_BND[row][keep_N], weights_M, weights_N))
        return torch.stack(losses).mean()


def plain_seconds(folder: Path, pair_loss: PairLoss, batches: int, batch_size: int, device: str) -> float:
    """Time of some batches, drawn blindly, of the loop that one writes first, start-up aside."""
    student, teacher = (load_encoder(folder / "teacher").to(device) for _ in range(2))
    loss_of = PlainLoss(student, teacher, folder / "tokens", pair_loss)
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-4)
    order = np.random.default_rng(1).permutation(len(loss_of.foreign))

    def step(pairs: np.ndarray) -> None:
        optimiser.zero_grad()
        loss_of(pairs).backward()
        optimiser.step()

    return peer_seconds(lambda: [step(order[i * batch_size : (i + 1) * batch_size]) for i in range(batches)], device)


def trainer_seconds(
    folder: Path, texts: list[str], settings: TrainingSettings, precision: str, device: str, helped: bool = False
) -> float:
    """Time of one pass of sentence-transformers' trainer over the same batches, start-up aside.

    Its targets are computed before, its optimiser is fused. `helped` is without dropout, with the attention that
    trains fastest and with freed memory kept.
    """
    import datasets
    from sentence_transformers import SentenceTransformerTrainer
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers.losses import MSELoss

    model = _model(folder, device)
    if helped:
        prepare(model, settings)
        model[0].auto_model.set_attn_implementation("eager" if device == "cpu" else "sdpa")
    targets = np.random.default_rng(0).normal(size=(len(texts), model[0].auto_model.config.hidden_size))
    data = datasets.Dataset.from_dict({"sentence": texts, "label": targets.astype(np.float32).tolist()})
    lengths = np.array([text.count(" ") + 1 for text in texts])
    drawn = EpochBatches(lengths, settings.batch_size, settings.seed)
    batches = [drawn[step].tolist() for step in range(settings.steps)]

    class SameBatches(torch.utils.data.BatchSampler):
        def __init__(self, *_: object, **__: object):
            pass

        def __iter__(self):
            return iter(batches)

        def __len__(self) -> int:
            return len(batches)

    arguments = Arguments(
        output_dir=str(folder / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=settings.batch_size,
        bf16=precision == "bf16",
        optim="adamw_torch_fused",
        batch_sampler=lambda *_, **__: SameBatches(),
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=device == "cpu",
    )
    with contextlib.redirect_stdout(sys.stderr):  # it prints its figures
        trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=MSELoss(model))
        with contextlib.nullcontext() if helped else memory_as_usual():
            return trainer.train().metrics["train_runtime"]


def assert_trainer_takes_the_same_loss(folder: Path, texts: list[str], device: str) -> None:
    """Check loss and gradient of what the trainer trains against the mean square error of the same weights."""
    from sentence_transformers.losses import MSELoss

    model, transformer = _model(folder, device).eval(), load_transformer(folder / "teacher").to(device).eval()
    features = dict(model[0].tokenizer(texts, padding=True, return_tensors="pt").to(device))
    targets_BD = torch.randn(len(texts), transformer.config.hidden_size, device=device)
    ids_BL, mask_BL1 = features["input_ids"], features["attention_mask"][:, :, None]
    hidden_BLD = transformer(input_ids=ids_BL, attention_mask=features["attention_mask"]).last_hidden_state
    pooled_BD = (hidden_BLD * mask_BL1).sum(1) / mask_BL1.sum(1)
    expected = torch.nn.functional.mse_loss(pooled_BD, targets_BD)
    expected.backward()
    loss = MSELoss(model)([features], targets_BD)
    loss.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=0)
    gradients = [part.get_input_embeddings().weight.grad for part in (model[0].auto_model, transformer)]
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-6)


def _model(folder: Path, device: str) -> torch.nn.Module:
    """The same transformer with mean pooling; raises ImportError where there is no sentence-transformers."""
    from sentence_transformers import SentenceTransformer, models

    transformer = models.Transformer(str(folder / "teacher"), max_seq_length=256)
    pooling = models.Pooling(transformer.auto_model.config.hidden_size)
    return SentenceTransformer(modules=[transformer, pooling], device=device)
