"""How fast a student is distilled, beside the same loop with another loss, a plain loop, and sentence-transformers.

    python benchmarks/distillation.py            # MiniLM's size: 6 layers of 384
    python benchmarks/distillation.py --tiny     # the same code in seconds, for CI; its ratios mean nothing

The sentences have the lengths of real ones: NTREX-128 and TICO-19, English and Swahili, in MiniLM's word pieces. Their
words are made up, which changes no time. Each candidate passes over the same pairs; they take turns, and a ratio is the
median over the turns of the ratio within a turn.

    ours, optical    this project's loop with optimal transport, the teacher's vectors read from a file
    ours, mse        the same with the distance of the sentences' means, which costs nothing
    plain            batches drawn blindly and padded, fp32, the teacher read anew, a loop of ot.sinkhorn
    trainer          sentence-transformers' trainer and MSELoss, its targets computed before, fused AdamW, the same
                     batches of similar length (pip install "sentence-transformers[train]"; else left out)
    trainer, helped  the same without dropout and with plain attention, which this project's loop found out for itself

All but `plain` compute in bf16 where the processor has it.

The share of the transport in a step is measured at multilingual BERT's size, on batches of 256 pairs of 32 tokens. The
last lines are tab-separated: claim, measured, bar, met|short|no GPU.
"""

import argparse
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import ot
import torch
from measuring import in_turns, machine, matrix_rate, no_gpu, ratio, seconds, verdict
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel

from optical.distillation import DistillationLoss
from optical.encoder import Encoder, EncoderSettings, load_encoder
from optical.machine import Machine
from optical.objectives import PairBatch, build_objective
from optical.precision import autocast, fastest
from optical.teacher_vectors import encode_english
from optical.tokens import SPECIAL_TOKENS, EpochBatches, TokenFile, save_tokeniser, write_token_file
from optical.training import TrainingSettings, optimiser_for, prepare, train

# Of 5,068 real pairs: the logarithm of the English length, and of the ratio of the lengths (mean, standard deviation).
ENGLISH_LENGTH, LENGTH_RATIO = (3.230, 0.578), (0.668, 0.197)
TRANSPORT = {"solver": "sinkhorn", "regularisation": 0.03, "iterations": 50, "marginals": "idf"}
PRECISION = fastest("cpu")
OBJECTIVES = {"optical": {"optimal_transport": 1.0}, "mse": {"sentence_mse": 1.0}}
SIZES = {
    "tiny": {"vocab_size": 500, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
    "minilm": {"vocab_size": 30_522, "hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12},
    "mbert": {"vocab_size": 119_547, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
}


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
    load_encoder(folder, EncoderSettings(query_length=256)).save(folder)
    return load_encoder(folder)


def write_bitext(folder: Path, encoder_folder: Path, pairs: int, vocabulary: int) -> tuple[list[str], list[str]]:
    """Write sentence pairs of made-up words and realistic lengths as token files; return their texts."""
    generator = np.random.default_rng(0)
    english_lengths = np.exp(generator.normal(*ENGLISH_LENGTH, pairs)).round().clip(2, 250)
    foreign_lengths = (english_lengths * np.exp(generator.normal(*LENGTH_RATIO, pairs))).round().clip(2, 250)
    sides = []
    for name, lengths in (("english", english_lengths), ("foreign", foreign_lengths)):
        ranks = [generator.zipf(1.3, int(length)) % (vocabulary - len(SPECIAL_TOKENS)) for length in lengths]
        sides.append([" ".join(f"w{rank}" for rank in text) for text in ranks])
        write_token_file(folder / name, encoder_folder, sides[-1])
    return sides[0], sides[1]


def our_seconds(folder: Path, objective: str, settings: TrainingSettings, precision: str) -> float:
    """Time of one pass of this project's own loop, start-up aside."""
    student = load_encoder(folder / "teacher")
    values = {"sides": ["query"], "objectives": OBJECTIVES[objective], "transport": TRANSPORT, "special_tokens": False}
    loss = DistillationLoss(student, folder / "tokens", folder / "vectors", settings, values)
    return seconds(lambda: train(student, loss, settings, Machine(precision=precision), None, objective))


def plain_seconds(folder: Path, batches: int, batch_size: int) -> float:
    """Time of some batches of the loop that one writes first, start-up aside."""
    student, teacher = load_encoder(folder / "teacher"), load_encoder(folder / "teacher")
    english, foreign = TokenFile(folder / "tokens/english"), TokenFile(folder / "tokens/foreign")
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-4)
    order = np.random.default_rng(1).permutation(len(english))

    def step(pairs: np.ndarray) -> None:
        ids_BM, attention_BM, keep_BM = student.frame([foreign[pair] for pair in pairs], "query")
        english_BN, english_attention_BN, keep_BN = teacher.frame([english[pair] for pair in pairs], "query")
        with torch.no_grad():
            teacher_BND = teacher(english_BN, english_attention_BN)
        student_BMD = student(ids_BM, attention_BM)
        losses = []
        for one, other, keep_M, keep_N in zip(student_BMD, teacher_BND, keep_BM, keep_BN, strict=True):
            cost = 1 - one[keep_M] @ other[keep_N].T
            masses = torch.full((len(cost),), 1 / len(cost)), torch.full((cost.shape[1],), 1 / cost.shape[1])
            plan = ot.sinkhorn(*masses, cost.detach(), TRANSPORT["regularisation"], numItermax=50, warn=False)
            losses.append((plan * cost).sum())
        optimiser.zero_grad()
        torch.stack(losses).mean().backward()
        optimiser.step()

    return seconds(lambda: [step(order[i * batch_size : (i + 1) * batch_size]) for i in range(batches)])


def trainer_seconds(folder: Path, texts: list[str], settings: TrainingSettings, helped: bool = False) -> float:
    """Time of one pass of sentence-transformers' trainer over the same batches, start-up aside."""
    import datasets
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, models
    from sentence_transformers import SentenceTransformerTrainingArguments as Arguments
    from sentence_transformers.losses import MSELoss

    transformer = models.Transformer(str(folder / "teacher"), max_seq_length=256)
    if helped:
        prepare(transformer, settings, torch.device("cpu"))
    model = SentenceTransformer(
        modules=[transformer, models.Pooling(transformer.get_word_embedding_dimension())], device="cpu"
    )
    targets = np.random.default_rng(0).normal(size=(len(texts), transformer.get_word_embedding_dimension()))
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
        bf16=PRECISION == "bf16",
        optim="adamw_torch_fused",
        batch_sampler=lambda *_, **__: SameBatches(),
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
    )
    trainer = SentenceTransformerTrainer(model=model, args=arguments, train_dataset=data, loss=MSELoss(model))
    return seconds(trainer.train)


def operations(lengths: np.ndarray, size: str) -> float:
    """Operations of forward and backward over real tokens: six a weight and token, and those of the attention."""
    hidden, layers = SIZES[size]["hidden_size"], SIZES[size]["num_hidden_layers"]
    weights = layers * 12 * hidden**2 + hidden * 128
    return float(6 * weights * lengths.sum() + 12 * layers * hidden * (lengths.astype(float) ** 2).sum())


def speed(folder: Path, size: str, pairs: int, batch_size: int, turns: int) -> None:
    """Print pairs a second of every candidate, then the claims."""
    teacher = new_encoder(folder / "teacher", size)
    english, foreign = write_bitext(folder / "tokens", folder / "teacher", pairs, SIZES[size]["vocab_size"])
    encode_english(teacher, TokenFile(folder / "tokens/english"), "query", folder / "vectors/query", PRECISION)
    settings = TrainingSettings(steps=pairs // batch_size, batch_size=batch_size, dropout=0.0)
    warm_up = TrainingSettings(steps=2, batch_size=batch_size)
    part = max(1, settings.steps // 8)  # of the slow candidate, whose rate does not depend on how much it does

    candidates: dict[str, Callable[[], float]] = {
        f"ours, {name}": lambda name=name: pairs / our_seconds(folder, name, settings, PRECISION) for name in OBJECTIVES
    }
    candidates["ours, optical, fp32"] = lambda: pairs / our_seconds(folder, "optical", settings, "fp32")
    candidates["plain"] = lambda: part * batch_size / plain_seconds(folder, part, batch_size)
    try:
        trainer_seconds(folder, foreign[: 2 * batch_size], warm_up)
        for name, helped in (("trainer", False), ("trainer, helped", True)):
            candidates[name] = lambda helped=helped: pairs / trainer_seconds(folder, foreign, settings, helped)
    except ImportError as error:
        print(f"without sentence-transformers' trainer: {error}")
    our_seconds(folder, "optical", warm_up, PRECISION)
    taken = in_turns(candidates, turns)

    lengths = TokenFile(folder / "tokens/foreign").lengths + 3
    rate = matrix_rate(PRECISION)
    needed = operations(lengths, size)
    floor = pairs * rate / needed
    print(f"\n{pairs} pairs of {lengths.mean():.0f} foreign tokens, batches of {batch_size}, {size}, {machine()}")
    print(
        f"floor: {operations(lengths, size) / 1e9:.0f} G operations at {rate / 1e9:.0f} GFLOP/s, the rate of a square"
    )
    print(f"product in {PRECISION}, are {floor:.0f} pairs a second\n")
    print(f"{'candidate':<24}{'pairs/s':>10}{'share of floor':>16}")
    for name, values in taken.items():
        print(f"{name:<24}{statistics.median(values):>10.1f}{statistics.median(values) / floor:>16.2f}")
    print()
    ours = taken["ours, optical"]
    verdict("distillation, CPU, pairs a second against the same loop with MSE", ratio(ours, taken["ours, mse"]), 0.95)
    verdict("distillation, CPU, pairs a second against a plain loop", ratio(ours, taken["plain"]), 3)
    if "trainer" in taken:
        verdict("distillation, CPU, against sentence-transformers' trainer", ratio(ours, taken["trainer"]), 2)
    verdict(f"model operations, CPU, share of the {PRECISION} matrix rate", statistics.median(ours) / floor, 0.30)


def share_of_transport(folder: Path, size: str, pairs: int, tokens: int, turns: int) -> None:
    """Print how much of a step at multilingual BERT's size is the transport: cost, plan, loss and their gradient."""
    student = new_encoder(folder / "mbert", size)
    optimiser = optimiser_for(student, TrainingSettings())
    objective = build_objective(OBJECTIVES["optical"], TRANSPORT)
    ids_BM = torch.randint(10, SIZES[size]["vocab_size"], (pairs, tokens))
    mask_BM, weights_BM = torch.ones_like(ids_BM), torch.rand(pairs, tokens)
    teacher_BND = torch.nn.functional.normalize(torch.randn(pairs, tokens, 128), dim=-1)
    transport_seconds = []

    def loss_of(student_BMD: torch.Tensor) -> torch.Tensor:
        """The loss, its gradient to the vectors taken at once, so that nothing else is in its time."""
        leaf_BMD = student_BMD.detach().requires_grad_()

        def both() -> None:
            masks = mask_BM.bool(), mask_BM.bool()
            objective(PairBatch(leaf_BMD, masks[0], teacher_BND, masks[1], weights_BM, weights_BM))[0].backward()

        transport_seconds.append(seconds(both))
        return (student_BMD * leaf_BMD.grad).sum()

    def step() -> None:
        with autocast(torch.device("cpu"), PRECISION):
            loss = loss_of(student(ids_BM, mask_BM))
        loss.backward()
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    step()
    steps = [seconds(step) for _ in range(turns)]
    share = statistics.median(part / whole for part, whole in zip(transport_seconds[1:], steps, strict=True))
    print(f"\na step of {pairs} x {tokens} tokens, {size}: {statistics.median(steps):.2f} s\n")
    verdict("share of transport in a distillation step, CPU, multilingual BERT's size", share, 0.03, most=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="seconds instead of minutes: only to see that it runs")
    tiny = parser.parse_args().tiny
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        if tiny:
            speed(Path(name), "tiny", 32, 8, 1)
            share_of_transport(Path(name), "tiny", 8, 16, 1)
        else:
            speed(Path(name), "minilm", 1024, 64, 3)
            share_of_transport(Path(name), "mbert", 256, 32, 3)
    if not torch.cuda.is_available():
        no_gpu("share of transport in a distillation step, H100", "<= 0.03")
        no_gpu("distillation, H100, against sentence-transformers' trainer", ">= 1.5")
        no_gpu("model operations, H100, multilingual BERT's size", ">= 0.40")


if __name__ == "__main__":
    main()
