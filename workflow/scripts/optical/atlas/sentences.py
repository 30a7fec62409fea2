"""Sentences of the bundled collection: hand-written frames filled with CLDR names, in one or several languages.

Frames are data (`frames.yaml`, `questions.yaml`, `general.yaml`). A frame has a kind of fact and a
template per language; its slots are what it says or asks about.
"""

import itertools
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import yaml

from optical.atlas.facts import Fact, all_facts, has_names, name_in, prominence

FOLDER = Path(__file__).parent
FRAME_FILES = ("frames.yaml", "questions.yaml", "general.yaml")
SLOT = re.compile(r"\{(\w+)\}")

Frame = dict[str, str]  # a kind of fact under `kind`, and a template by language
Names = set[tuple[str, str]]  # (slot, code) of what a sentence names

MAX_WORDS = 25
NUMBER_SHARE = 0.3  # of the general sentences: how many have a number
SAME_TOPIC = {"since": "currency"}  # kinds that one sentence should not both have
SHAPES = {"statement": 0.55, "question": 0.27, "general": 0.18}
EXTRA_CLAUSES = (0, 0, 1, 2, 2)  # how many further clauses about the same territory a statement takes, drawn evenly


@cache
def frames() -> dict[str, Any]:
    """Return the lists of frames, under statements, there, questions, test and so on, and the words that join them."""
    merged: dict[str, Any] = {}
    for name in FRAME_FILES:
        merged |= yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    merged["training"] = [
        {"kind": frame["kind"], "en": wording} for frame in merged["training"] for wording in wordings(frame["en"])
    ]
    return merged


def wordings(template: str) -> list[str]:
    """Return every combination of a template's alternatives.

    >>> wordings("(what|which money) do (I|we) need?")
    ['what do I need?', 'what do we need?', 'which money do I need?', 'which money do we need?']
    """
    parts = re.split(r"\(([^()]*\|[^()]*)\)", template)
    choices = [part.split("|") if number % 2 else [part] for number, part in enumerate(parts)]
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def slots_of(template: str) -> frozenset[str]:
    """Return the slots of a template.

    >>> sorted(slots_of("{P} percent know {L}"))
    ['L', 'P']
    """
    return frozenset(SLOT.findall(template))


def fill(template: str, item: Fact, lang: str) -> str:
    """Put a fact's names into a template; English territories get their article.

    >>> from optical.atlas.facts import fact
    >>> fill("clocks in {T}", fact("zone", T="NL"), "en"), fill("saa katika nchi ya {T}", fact("zone", T="NL"), "sw")
    ('clocks in the Netherlands', 'saa katika nchi ya Uholanzi')
    """

    def name(match: re.Match) -> str:
        slot = match[1]
        text = name_in(lang, slot, item.code(slot))
        assert text is not None, f"no name of {slot} in {lang}, though has_names said so"
        article = lang == "en" and slot in "TK" and re.fullmatch(frames()["articles"], text)
        return f"the {text}" if article else text

    return SLOT.sub(name, template)


def sentence(text: str) -> str:
    """Begin with a capital and end with a full stop unless the text ends a question.

    >>> sentence("on which continent is Fiji?"), sentence("time zone of Fiji")
    ('On which continent is Fiji?', 'Time zone of Fiji.')
    """
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?" else ".")


def query(text: str) -> str:
    """Begin with a capital; queries need no full stop."""
    return text[0].upper() + text[1:]


class SentenceMaker:
    """Draws sentences that say the same in all of `langs`, about facts that have names in all of them.

    What a fact is about is drawn more often if it is prominent (`skew` 0: evenly, 1: in proportion to how often CLDR's
    facts mention it).
    `more` adds frames of one language: {"statements": [...], "questions": [...]}.
    """

    def __init__(self, langs: Iterable[str], skew: float, more: Mapping[str, list[Frame]] | None = None):
        self.langs, self.skew = list(langs), skew
        self.frames = {part: frames()[part] + (more or {}).get(part, []) for part in ("statements", "questions")}
        self.facts, self.weights, self.about = {}, {}, defaultdict(list)
        pools = defaultdict(list)
        for item in all_facts():
            if has_names(item, self.langs):
                pools[item.kind].append(item)
                self.about[item.value("T")].append(item)
        for kind, pool in pools.items():
            self.facts[kind] = pool
            self.weights[kind] = list(accumulate(prominence(*item.slots[0]) ** skew for item in pool))

    def draw(self, rng: random.Random) -> tuple[dict[str, str], Names]:
        """Return ({language: sentence}, the (slot, code) pairs named in it)."""
        shape = rng.choices(list(SHAPES), list(SHAPES.values()))[0]
        while True:
            texts, named = getattr(self, f"_{shape}")(rng)
            if max(len(text.split()) for text in texts.values()) <= MAX_WORDS:
                return texts, named

    def _fact(self, rng: random.Random, kind: str) -> Fact:
        return rng.choices(self.facts[kind], cum_weights=self.weights[kind])[0]

    def _frame(self, rng: random.Random, part: str) -> Frame:
        return rng.choice([frame for frame in self.frames[part] if frame["kind"] in self.facts])

    def _statement(self, rng: random.Random) -> tuple[dict[str, str], Names]:
        frame = self._frame(rng, "statements")
        item = self._fact(rng, frame["kind"])
        texts = {lang: fill(frame[lang], item, lang) for lang in self.langs}
        named = _named(frame["en"], item)
        for clause, further in self._further(rng, item):
            connector = rng.randrange(2)
            for lang in self.langs:
                texts[lang] += frames()["connectors"][lang][connector] + fill(clause[lang], further, lang)
            named |= _named(clause["en"], further)
        return {lang: sentence(text) for lang, text in texts.items()}, named

    def _further(self, rng: random.Random, first: Fact) -> list[tuple[Frame, Fact]]:
        """Choose further clauses: other kinds of facts about the first one's territory."""
        by_kind = defaultdict(list)
        for item in self.about[first.value("T")] if first.value("T") else []:
            by_kind[item.kind].append(item)
        clauses = [frame for frame in frames()["there"] if frame["kind"] in by_kind]
        chosen, topics = [], {_topic(first.kind)}
        for frame in rng.sample(clauses, min(rng.choice(EXTRA_CLAUSES), len(clauses))):
            if _topic(frame["kind"]) not in topics:
                topics.add(_topic(frame["kind"]))
                chosen.append((frame, rng.choice(by_kind[frame["kind"]])))
        return chosen

    def _question(self, rng: random.Random) -> tuple[dict[str, str], Names]:
        frame = self._frame(rng, "questions")
        item = self._fact(rng, frame["kind"])
        return {lang: sentence(fill(frame[lang], item, lang)) for lang in self.langs}, _named(frame["en"], item)

    def _general(self, rng: random.Random) -> tuple[dict[str, str], Names]:
        """Fill a sentence without names."""
        with_number = rng.random() < NUMBER_SHARE
        frame = rng.choice([frame for frame in frames()["general"] if ("kind" in frame) == with_number])
        item = self._fact(rng, "number")
        return {lang: fill(frame[lang], item, lang) for lang in self.langs}, set()


def _topic(kind: str) -> str:
    return SAME_TOPIC.get(kind, kind)


def _named(template: str, item: Fact) -> Names:
    return {(slot, code) for slot, code in item.slots if slot in slots_of(template)}


def draw_different(rng: random.Random, maker: SentenceMaker, size: int) -> list[tuple[dict[str, str], Names]]:
    """Draw until there are `size` sentences, all different; fewer if the frames and facts do not give as many."""
    drawn: dict[tuple[str, ...], tuple[dict[str, str], Names]] = {}
    for _ in range(size * 20):
        texts, named = maker.draw(rng)
        drawn.setdefault(tuple(texts.values()), (texts, named))
        if len(drawn) == size:
            break
    return list(drawn.values())
