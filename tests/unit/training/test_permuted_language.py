"""The whole chain on a language with a known answer: English with its words exchanged and their order turned round.

Nothing but the alignment of words can tell what a foreign query asks for: its words are English words that mean others,
so that a reader who takes it for English finds nothing. Sentence pairs must be enough to find out.
"""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from optical.config.encoder import Architecture, EncoderSettings
from optical.config.training import DistillationSettings, RankingSettings
from optical.config.transport import TransportSettings
from optical.evaluation.measures import evaluate
from optical.files import write_rows
from optical.losses.objectives import build_objective
from optical.models.encoder import DOCUMENT, QUERY, Encoder
from optical.models.folders import load_encoder
from optical.runtime.machine import Machine
from optical.search.encoding import encode_documents, encode_queries
from optical.search.exact import search, to_run
from optical.text.token_files import TokenFile, write_token_file
from optical.text.tokeniser import load_tokeniser, save_tokeniser, train_tokeniser
from optical.training.encoder import new_transformer
from optical.training.loop import train
from optical.training.student import DistillationLoss
from optical.training.teacher import TeacherLoss
from optical.training.teacher_vectors import encode_english
from optical.training.triples import write_triples

CONSONANTS, VOWELS = "bdfgklmnprst", "aeiou"
DOCUMENTS, QUERIES, PAIRS = 80, 60, 300
TRANSPORT = TransportSettings(iterations=30, marginals="uniform")
CHANCE = sum(1 / rank for rank in range(1, DOCUMENTS + 1)) / DOCUMENTS  # one relevant document at a random rank


class World:
    """English documents, queries and sentences, their translations, and models trained on them."""

    def __init__(self, folder: Path):
        self.folder, dice = folder, random.Random(0)
        self.words = [f"{a}{b}{c}{d}" for a, b, c, d in zip(*(self._letters(dice, i) for i in range(4)), strict=True)]
        self.words = list(dict.fromkeys(self.words))[:50]
        turned = self.words[1:] + self.words[:1]
        self.meaning = dict(zip(self.words, turned, strict=True))
        self.documents = [dice.sample(self.words, 8) for _ in range(DOCUMENTS)]
        self.queries = [(number, dice.sample(self.documents[number], 3)) for number in dice.sample(range(80), QUERIES)]
        self.sentences = [dice.sample(self.words, dice.randint(3, 6)) for _ in range(PAIRS)]
        self._tokenise()
        self.teacher = self._train_teacher()
        self.student = self._distil_student()

    def _letters(self, dice: random.Random, place: int) -> list[str]:
        return [dice.choice(VOWELS if place % 2 else CONSONANTS) for _ in range(90)]

    def foreign(self, words: list[str]) -> list[str]:
        return [self.meaning[word] for word in reversed(words)]

    def _tokenise(self) -> None:
        save_tokeniser(train_tokeniser([" ".join(self.words)] * 9, vocabulary_size=400), self.folder, longest=16)
        for name, texts in (
            ("set/documents", self.documents),
            ("set/queries", self._training_queries()),
            ("tokens/english", self.sentences),
            ("tokens/foreign", [self.foreign(words) for words in self.sentences]),
        ):
            write_token_file(self.folder / name, self.folder, map(" ".join, texts))
        write_rows(self.folder / "triples.tsv", [(f"q{n}", f"d{n % DOCUMENTS}") for n in range(2 * DOCUMENTS)])
        names = ({f"q{n}": n for n in range(2 * DOCUMENTS)}, {f"d{n}": n for n in range(DOCUMENTS)})
        write_triples(self.folder / "set/triples.npy", self.folder / "triples.tsv", *names)

    def _training_queries(self) -> list[list[str]]:
        dice = random.Random(1)
        return [dice.sample(self.documents[number % DOCUMENTS], 4) for number in range(2 * DOCUMENTS)]

    def _train_teacher(self) -> Encoder:
        architecture = Architecture(hidden_size=32, layers=1, heads=2, intermediate_size=64)
        transformer = new_transformer(architecture, load_tokeniser(self.folder).get_vocab_size(), 16, seed=1)
        torch.manual_seed(1)
        encoder = Encoder(transformer, self.folder, EncoderSettings(dimension=24, query_length=12, document_length=16))
        settings = RankingSettings(steps=60, batch_size=16, learning_rate=3e-3, negatives=0)
        loss = TeacherLoss(encoder, self.folder / "set", settings)
        train(encoder, loss, settings, Machine(device="cpu"), None, "teacher")
        encoder.save(self.folder / "teacher")
        encode_documents(encoder, self._as_objects(), DOCUMENT, self.folder / "vectors")
        encode_english(encoder, TokenFile(self.folder / "tokens/english"), [QUERY], self.folder / "kept", "fp32")
        return encoder.eval()

    def _as_objects(self) -> list[dict]:
        return [{"id": f"d{number}", "text": " ".join(words)} for number, words in enumerate(self.documents)]

    def _distil_student(self) -> Encoder:
        settings = DistillationSettings(
            steps=250, learning_rate=5e-3, objectives={"optimal_transport": 1.0}, transport=TRANSPORT
        )
        student = load_encoder(self.folder / "teacher")
        objective = build_objective(settings.objectives, settings.transport)
        loss = DistillationLoss(student, self.folder / "tokens", self.folder / "kept", settings, objective)
        train(student, loss, settings, Machine(device="cpu"), None, "student")
        return student.eval()

    def average_precision(self, encoder: Encoder, translated: bool) -> float:
        """Return the mean average precision of the queries, each of which one document answers fully."""
        texts = [" ".join(self.foreign(words) if translated else words) for _, words in self.queries]
        vectors_QMD, mask_QM = encode_queries(encoder, texts)
        names = [f"q{number}" for number in range(QUERIES)]
        run = to_run(names, search(vectors_QMD, mask_QM, [self.folder / "vectors"], top_k=DOCUMENTS))
        relevant = {name: self._answers(words) for name, (_, words) in zip(names, self.queries, strict=True)}
        rows = evaluate({name: dict(hits) for name, hits in run.items()}, relevant, names, ["AP"])
        return float(np.mean([value for _, _, value in rows]))

    def _answers(self, words: list[str]) -> dict[str, int]:
        return {f"d{number}": 1 for number, document in enumerate(self.documents) if set(words) <= set(document)}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("world"))


def test_sentence_pairs_alone_teach_the_language(world):
    english, untaught = (world.average_precision(world.teacher, translated=foreign) for foreign in (False, True))
    foreign = world.average_precision(world.student, translated=True)
    figures = f"English {english:.3f}, zero-shot {untaught:.3f}, student {foreign:.3f}, chance {CHANCE:.3f}"
    assert english > 0.9, figures
    assert untaught < CHANCE + 0.1, figures
    assert foreign > 0.9 * english, figures


def test_each_word_comes_to_stand_where_its_translation_stands(world):
    foreign_QMD, _ = encode_queries(world.student, [world.meaning[word] for word in world.words])
    english_QMD, _ = encode_queries(world.teacher, world.words)
    word = 2  # behind [CLS] and [Q]
    nearest = (foreign_QMD[:, word] @ english_QMD[:, word].T).argmax(dim=1)
    assert (nearest == torch.arange(len(world.words))).float().mean() > 0.9
