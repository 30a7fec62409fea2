"""Small trainings of every program that trains: inputs, references, and attempts that may be interrupted."""

import hashlib
import json
import random
import time

from support.programs import Run, server

WORDS = ("river", "moon", "sun", "north", "book", "market", "school", "water", "stone", "bird", "house", "road")
FOREIGN = [word[::-1] + "a" for word in WORDS]
ENCODER = {"dimension": 16, "query_length": 16, "document_length": 32}
STEPS = 80
COMMON = {"steps": STEPS, "batch_size": 8, "learning_rate": 1e-3, "seed": 1}
TRANSPORT = {"solver": "sinkhorn", "regularisation": 0.1, "iterations": 20, "marginals": "uniform"}
ARCHITECTURE = {"hidden_size": 32, "layers": 1, "heads": 2, "intermediate_size": 64}
TRANSLATOR = {"layers": 1, "hidden_size": 32, "heads": 2, "intermediate_size": 64, "longest": 32, "guidance": 0.0}
SETTINGS = {
    "pretrain_encoder": COMMON
    | {"mask_share": 0.2, "architecture": ARCHITECTURE, "encoder": ENCODER, "transport": TRANSPORT}
    | {"objectives": {"mlm": 1.0, "tlm": 1.0, "optimal_transport": 1.0, "contrastive": 1.0}, "pairs_batch_size": 4},
    "train_teacher": COMMON | {"in_batch_negatives": True, "negatives": 1, "encoder": ENCODER},
    "distil_student": COMMON
    | {"sides": ["query"], "special_tokens": True, "objectives": {"optimal_transport": 1.0}, "transport": TRANSPORT},
    "retrain_student": COMMON | {"sides": ["query"], "in_batch_negatives": True, "negatives": 1},
    "train_translator": COMMON | TRANSLATOR,
}
PROGRAMS = list(SETTINGS)


class Bench:
    """A folder with inputs for every training program, made by the programs before it, and each one's reference."""

    def __init__(self, folder):
        self.folder, self.context, self.count = folder, server(), 0
        dice = random.Random(0)
        sentences = [[dice.randrange(len(WORDS)) for _ in range(dice.randint(3, 9))] for _ in range(120)]
        english = [" ".join(WORDS[number] for number in numbers) for numbers in sentences]
        foreign = [" ".join(FOREIGN[number] for number in numbers) for numbers in sentences]
        self._write("english.txt", english)
        self._write("foreign.txt", foreign)
        self._write("bitext.tsv", [f"{one}\t{other}" for one, other in zip(english, foreign, strict=True)])
        (folder / "set").mkdir()
        documents = [json.dumps({"id": f"d{number}", "text": text}) for number, text in enumerate(english)]
        self._write("set/documents.jsonl", documents)
        self._write("set/queries.tsv", [f"q{number}\t{text}" for number, text in enumerate(english)])
        self._write("set/triples.tsv", [f"q{number}\td{number}\td{(number + 7) % 120}" for number in range(120)])

        texts = [folder / "english.txt", folder / "foreign.txt"]
        self.prepare("train_tokeniser", texts=texts, vocabulary_size=200, longest=32, out=folder / "tokeniser")
        tokeniser = folder / "tokeniser"
        self.prepare("tokenise_text", tokeniser=tokeniser, texts=texts, out=folder / "text")
        self.prepare("tokenise_bitext", tokeniser=tokeniser, bitext=folder / "bitext.tsv", out=folder / "pairs")
        self.prepare("tokenise_training_set", tokeniser=tokeniser, training_set=folder / "set", out=folder / "triples")
        bitext = [folder / "pairs"]
        self.inputs = {"pretrain_encoder": {"tokeniser": tokeniser, "text": folder / "text", "bitext": bitext}}
        self.reference, self.models = {}, {}
        encoder = self._train_reference("pretrain_encoder")
        self.inputs["train_teacher"] = {"encoder": encoder, "training_set": folder / "triples"}
        teacher = self._train_reference("train_teacher")
        self.prepare("encode_bitext", teacher=teacher, tokens=folder / "pairs", out=folder / "vectors")
        self.inputs["distil_student"] = {
            "teacher": teacher,
            "tokens": folder / "pairs",
            "vectors": folder / "vectors",
        }
        self._train_reference("distil_student")
        self.inputs["retrain_student"] = {"teacher": teacher, "training_set": folder / "triples"}
        self._train_reference("retrain_student")
        self.inputs["train_translator"] = {"tokens": folder / "pairs", "tokeniser": tokeniser}
        self._train_reference("train_translator")

    def _write(self, name, lines):
        (self.folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")

    def prepare(self, program, **arguments):
        """Run a program to its end."""
        run = Run(self.context, program, self.folder / f"{program}.out", **arguments)
        assert run.wait() == 0, run.output.read_text()

    def _train_reference(self, program):
        attempt = self.attempt(program)
        self.reference[program], self.models[program] = attempt.finish(), attempt.model
        assert not attempt.saved(), "checkpoints are removed once the model is there"
        return attempt.model

    def attempt(self, program, **changes):
        """Return a place for one more training of a program."""
        self.count += 1
        return Attempt(self, program, self.folder / f"attempt{self.count}", SETTINGS[program] | changes)


class Attempt:
    """A training that may be interrupted and started again, with its own checkpoints, log and output."""

    def __init__(self, bench, program, folder, settings):
        folder.mkdir()
        self.bench, self.program, self.settings = bench, program, settings
        self.model, self.checkpoints, self.log = folder / "model", folder / "checkpoints", folder / "training.log"

    def start(self, **more):
        """Start the program, or start it again; `environment` adds variables, all else are arguments."""
        return Run(
            self.bench.context,
            self.program,
            self.log.with_suffix(".out"),
            settings=json.dumps(self.settings),
            checkpoints=self.checkpoints,
            out=self.model,
            log=self.log,
            **{"checkpoint_steps": 3} | self.bench.inputs[self.program] | more,
        )

    def wait_for_checkpoint(self, run, least=1):
        """Wait until the training is under way, and has saved this step or a later one."""
        while not any(int(path.stem.removeprefix("step-")) >= least for path in self.saved()):
            assert run.process.is_alive(), run.output.read_text()
            time.sleep(0.002)

    def saved(self):
        """Return the checkpoints, the oldest first."""
        return sorted(self.checkpoints.rglob("step-*.pt"))

    def finish(self):
        """Start again and return the weights."""
        run = self.start()
        assert run.wait() == 0, run.output.read_text()
        return weights_of(self.model)


def weights_of(folder):
    """Return the checksum of a model's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
