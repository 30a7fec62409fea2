"""A peer's trainer with this project's objective. It runs in the peer's environment, where `datasets` is.

Shape suffixes: B pairs, M tokens of the student's side, N tokens of the teacher's side, D vector size, V vocabulary.
"""

from functools import partial
from pathlib import Path

import datasets
import torch
from our_distillation import our_loss
from torch import Tensor
from transformers import PreTrainedModel, Trainer, TrainingArguments

from optical.config.training import TrainingSettings
from optical.losses.objectives import PairBatch
from optical.models.encoder import QUERY
from optical.training.loop import prepare

TEXTS = "foreign.txt"  # of the folder with the teacher: the student's sentences, a line each
Features = dict[str, Tensor]  # a batch of texts, as a peer's tokeniser gives it


class PeerLoss(torch.nn.Module):
    """The objective `optical` on what a peer's model reads; the label of a text is the number of its pair."""

    def __init__(self, model: torch.nn.Module, folder: Path, settings: TrainingSettings, precision: str):
        super().__init__()
        self.model = model
        self.device = next(model.parameters()).device
        ours = our_loss(folder, "optical", settings, precision, "cpu")
        self.batches = [ours.batches[step].tolist() for step in range(settings.steps)]
        self.english, self.teacher, self.objective = ours.english, ours.teacher[QUERY], ours.objective
        self.frame, self.content_mask = ours.student.frame, partial(ours.student.content_mask, kind=QUERY)
        self.english_weights_V, self.foreign_weights_V = (weights.to(self.device) for weights in ours.token_weights)

    def forward(self, sentence_features: list[Features], labels: Tensor) -> Tensor:
        (features,), pairs = sentence_features, labels.cpu().numpy()
        ids_BM, attention_BM = features["input_ids"], features["attention_mask"]
        student_BMD = self.model(dict(features))["token_embeddings"].float()
        english_BN, english_attention_BN, keep_BN = self.frame([self.english[pair] for pair in pairs], QUERY)
        batch = PairBatch(
            student_BMD=torch.nn.functional.normalize(student_BMD, dim=-1),
            student_mask_BM=self.content_mask(ids_BM, attention_BM),
            teacher_BND=self.teacher.padded(pairs, keep_BN, self.device),
            teacher_mask_BN=self.content_mask(english_BN, english_attention_BN).to(self.device),
            student_weights_BM=self.foreign_weights_V[ids_BM],
            teacher_weights_BN=self.english_weights_V[english_BN.to(self.device)],
        )
        return self.objective(batch)[0]


class GivenBatches(torch.utils.data.BatchSampler):
    """Batches that are given beforehand."""

    def __init__(self, batches: list[list[int]]):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)


def trainer_of(
    model: torch.nn.Module,
    classes: tuple[type[Trainer], type[TrainingArguments]],
    folder: str,
    settings: dict[str, object],
    precision: str,
    device: str,
    helped: bool,
    prompts: str | None = None,
    **options: object,
) -> Trainer:
    """A peer's trainer that passes once over this project's batches, with a fused optimiser.

    `helped` is without dropout and with the attention that trains fastest; the worker has to keep freed memory.

    Args:
        model: the peer's, with the teacher's weights.
        classes: the trainer and its arguments.
        folder: of the teacher, its vectors, and the pairs.
        settings: of the training, by name: the batches.
        precision: fp32 or bf16.
        device: cpu or cuda.
        helped: as above.
        prompts: text that is put before each sentence.
        options: what else the trainer is given.
    """
    training = TrainingSettings(**settings)
    if helped:
        prepare(model, training)
        transformer = next(part for part in model.modules() if isinstance(part, PreTrainedModel))
        transformer.set_attn_implementation("eager" if device == "cpu" else "sdpa")
    loss = PeerLoss(model, Path(folder), training, precision)
    texts = Path(folder, TEXTS).read_text(encoding="utf-8").splitlines()
    trainer_class, arguments_class = classes
    arguments = arguments_class(
        output_dir=f"{folder}/trainer",
        num_train_epochs=1,
        per_device_train_batch_size=training.batch_size,
        bf16=precision == "bf16",
        optim="adamw_torch_fused",
        batch_sampler=lambda *_, **__: GivenBatches(loss.batches),
        prompts=prompts,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=device == "cpu",
    )
    data = datasets.Dataset.from_dict({"query": texts, "label": list(range(len(texts)))})
    return trainer_class(model=model, args=arguments, train_dataset=data, loss=loss, **options)


def train_seconds(trainer: Trainer) -> float:
    """Time of one pass of a trainer, start-up aside."""
    return trainer.train().metrics["train_runtime"]


def first_loss(trainer: Trainer, to: str) -> float:
    """Return a trainer's loss of its first batch, without dropout; write the gradient of the subwords' vectors."""
    model = trainer.model.eval()
    loss = trainer.compute_loss(model, next(iter(trainer.get_train_dataloader())))
    loss.backward()
    (table,) = (weight for name, weight in model.named_parameters() if name.endswith("word_embeddings.weight"))
    torch.save(table.grad.cpu(), to)
    return loss.item()
