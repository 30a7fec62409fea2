"""Changes of an index at random, and processes that are killed while they make them.

    PYTHONPATH=workflow/scripts:tests python -m support.index_sequences --sequences 1000 --kills 20
    PYTHONPATH=workflow/scripts:tests python -m support.index_sequences --sequences 1000 --kills 20 --engine

The encoder is a table of small whole numbers: scores are whole, so that what must be found can be counted exactly, and
thousands of changes take seconds. With --engine, all sequences change one index of LanceDB, with passages enough for
its inverted file: what is found must be there and fulfil the filter, with exact scores, and recall is .98 at least.
"""

import argparse
import json
import operator
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from optical.corpora.passages import METADATA
from optical.files import write_json
from optical.search.engine import ENGINE, SEARCHED_WHOLE
from optical.search.index import is_index, open_index
from optical.search.index_changes import add_passages, build_index, remove_passages
from optical.search.metadata import condition
from optical.search.retriever import Retriever
from optical.text.tokeniser import tokenise, train_tokeniser
from support.tiny_models import TEXTS

WORDS = sorted({word for text in TEXTS for word in text.split()})
IDS = [f"d{number}" for number in range(12)]
LANGUAGES, SOURCES, DATES = ("", "sw", "en", "mr"), ("", "news", "bible"), ("", "2023", "2024-02", "2024-05-31")
CONDITIONS = ("language=sw", "language=en", "source=news", "date=2024", "date>=2024-03", "date<=2023-12-31")


@cache
def small_tokeniser():
    return train_tokeniser(TEXTS * 4, vocabulary_size=300)


class WholeNumbers:
    """Reads a text as one vector of small whole numbers a token."""

    dimension = 4

    def __init__(self):
        self.tokeniser = small_tokeniser()
        table = np.random.default_rng(0).integers(-3, 4, (self.tokeniser.get_vocab_size(), self.dimension))
        self.table = torch.from_numpy(table).float()

    def room(self, kind):
        return 100

    def encode(self, ids, kind, precision="fp32"):
        for index, tokens in sorted(enumerate(ids), key=lambda item: len(item[1])):
            yield index, self.table[tokens], None

    def parameters(self):
        return iter([self.table])

    def vectors(self, text):
        (ids,) = tokenise(self.tokeniser, [text])
        return self.table[ids].numpy()


class Machine:
    """An index that changes at random, and what should be in it: passages by id, in the order of their adding."""

    encoder_class, engine, ids = WholeNumbers, "", IDS
    at_first, at_once = (1, 4), (1, 4)  # fewest and most passages of the first index, and of a change

    def __init__(self, folder, seed):
        self.random, self.encoder = random.Random(seed), self.encoder_class()
        self.model, self.index, self.expected = Path(folder, "model"), Path(folder, "index"), {}
        if is_index(self.index):
            self.expected = {passage["id"]: passage for passage in passages_of(self.index)}
        else:
            write_json(self.model / "config.json", {})
            passages = self.new_passages(*self.at_first)
            build_index(self.index, passages, self.encoder, self.model, self.model, engine=self.engine)
            self.expected = self.after("add", passages)

    def new_passages(self, fewest, most):
        """Return passages of random words, with different ids."""
        return [self.new_passage(name) for name in self.random.sample(self.ids, self.random.randint(fewest, most))]

    def new_passage(self, name):
        text = " ".join(self.random.choices(WORDS, k=self.random.randint(1, 6)))
        values = [self.random.choice(choices) for choices in (LANGUAGES, SOURCES, DATES)]
        return {"id": name, "text": text} | {key: value for key, value in zip(METADATA, values, strict=True) if value}

    def plan(self):
        """Return the next change: "add" and passages, or "remove" and ids."""
        if not self.expected or self.random.random() < 0.6:
            return "add", self.new_passages(*self.at_once)
        most = min(self.at_once[1], len(self.expected))
        return "remove", self.random.sample(sorted(self.expected), self.random.randint(1, most))

    def after(self, act, what):
        """Return what should be in the index after a change."""
        changed = {passage["id"] for passage in what} if act == "add" else set(what)
        left = {name: passage for name, passage in self.expected.items() if name not in changed}
        return left | {passage["id"]: passage for passage in what} if act == "add" else left

    def change(self, act, what):
        """Make a change."""
        if act == "add":
            known = len(self.expected.keys() & {passage["id"] for passage in what})
            made = add_passages(self.index, what, self.encoder, self.model)
            assert (made.replaced, made.added) == (known, len(what) - known)
        else:
            assert remove_passages(self.index, what).removed == len(what)
        self.expected = self.after(act, what)

    def search(self):
        """Compare what is found for a random query and filter with what should be found."""
        retriever, found, scores, top = self.found(self.random.randint(1, 15))
        best = sorted(scores, key=lambda name: -scores[name])[:top]  # equal scores in the order of the passages
        assert found.ids == best and found.scores.tolist() == [scores[name] for name in best]
        assert retriever.indexed().read(set(best)) == {name: self.expected[name] for name in best}

    def found(self, top):
        """Return a retriever, what it finds for a random query and filter, the scores of all there is, and `top`."""
        query = " ".join(self.random.choices(WORDS, k=3))
        where = self.random.sample(CONDITIONS, self.random.randint(0, 2))
        retriever = Retriever(self.encoder, self.model, self.model, opened=open_index(self.index))
        (found,) = retriever.rank([query], top, where)
        query_MD = self.encoder.vectors(query)
        scores = {
            name: float((query_MD @ self.encoder.vectors(passage["text"]).T).max(1).sum())
            for name, passage in self.expected.items()
            if all(asked.holds(passage.get(asked.field, "")) for asked in map(condition, where))
        }
        return retriever, found, scores, top

    def check_parts(self):
        """Check that no part is mostly deleted passages, that there are few, and nothing else."""
        parts = open_index(self.index).parts
        assert all(2 * part.live >= part.size for part in parts) and len(parts) <= 4
        assert len(list(self.index.iterdir())) == 1 + len(parts)


class UnitVectors(WholeNumbers):
    """Reads a text as one vector of length one a token."""

    dimension = 64

    def __init__(self):
        super().__init__()
        self.table = torch.nn.functional.normalize(self.table + 0.1, dim=1)


class EngineMachine(Machine):
    """An index of an engine that changes at random: a passage may be missed, but seldom."""

    encoder_class, engine, ids = UnitVectors, ENGINE, [f"d{number}" for number in range(2 * SEARCHED_WHOLE)]
    at_first, at_once = (SEARCHED_WHOLE + 500,) * 2, (1, 50)

    def search(self):
        """Compare what is found for a random query and filter with what may and what should be found."""
        retriever, found, scores, top = self.found(100)
        np.testing.assert_allclose(found.scores, [scores[name] for name in found.ids], atol=1e-2)  # stored in float16
        assert len(set(found.ids)) == len(found.ids) == min(top, len(scores))
        best = sorted(scores.values(), reverse=True)[:top]
        assert sum(scores[name] >= best[-1] - 1e-2 for name in found.ids) >= 0.98 * len(best)
        some = set(found.ids[:3])
        assert retriever.indexed().read(some) == {name: self.expected[name] for name in some}

    def check_parts(self):
        """Check that the table is the only part."""
        assert len(open_index(self.index).parts) == 1


def passages_of(folder):
    """Return all passages of an index as they are now, in their order."""
    return list(open_index(folder).passages.all())


@mock.patch("os.fsync")  # which takes most of the time, and matters only where the power fails
def run_sequence(folder, seed, no_sync, machine_class=Machine, changes=6):
    """Change an index at random, and check what it finds and how it is stored after each change."""
    machine = machine_class(folder, seed)
    machine.search()
    for _ in range(changes):
        machine.change(*machine.plan())
        machine.search()
        machine.check_parts()


def change_until_killed(folder, seed, machine_class):
    """Change an index until somebody kills this process; print before each change what should be there after it."""
    machine = machine_class(folder, seed)
    print(json.dumps(list(machine.expected.values())), flush=True)
    while True:
        planned = machine.plan()
        print(json.dumps(list(machine.after(*planned).values())), flush=True)
        machine.change(*planned)


def kill(folder, seed, machine_class=Machine):
    """Kill a process that changes an index, at a random time; check that the index is as before or after a change."""
    command = [sys.executable, "-m", "support.index_sequences", "--change", str(folder), "--seed", str(seed)]
    command += ["--engine"] if machine_class is EngineMachine else []
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        first = process.stdout.readline()
        time.sleep(random.Random(seed).uniform(0, 0.3))
        process.kill()
        lines = [first, *process.stdout]
    assert process.returncode == -signal.SIGKILL
    announced = [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be cut off
    assert by_id(passages_of(Path(folder, "index"))) in [by_id(passages) for passages in announced[-2:]]
    machine_class(folder, seed).search()


def by_id(passages):
    """Return passages in the order of their ids."""
    return sorted(passages, key=operator.itemgetter("id"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequences", type=int, default=0, help="how many sequences of changes")
    parser.add_argument("--kills", type=int, default=0, help="how many processes to kill")
    parser.add_argument("--change", metavar="FOLDER", help="change an index until this process is killed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", action="store_true", help="of an index of LanceDB")
    arguments = parser.parse_args()
    machine_class = EngineMachine if arguments.engine else Machine
    if arguments.change:
        change_until_killed(arguments.change, arguments.seed, machine_class)
    with tempfile.TemporaryDirectory() as parent:
        for seed in range(arguments.sequences):
            folder = parent if arguments.engine else Path(parent, str(seed))  # making an engine's index takes long
            run_sequence(folder, seed, machine_class=machine_class)
    print(f"{arguments.sequences} sequences found what they should")
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.kills):
            kill(folder, seed, machine_class)
    print(f"{arguments.kills} killed processes left the index before or after a change")


if __name__ == "__main__":
    main()
