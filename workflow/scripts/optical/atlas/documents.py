"""Documents, queries and relevance of the bundled collection: a document states facts, a query asks for some of them.

Relevance is by construction: a document is relevant if it states a fact of the query's kind that agrees with all of the
query's slots. Documents confuse on purpose: several are about one entity, many state the same kind of fact.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from optical.atlas.facts import Fact, all_facts, fact, has_names, prominence
from optical.atlas.sentences import Frame, fill, frames, query, sentence, slots_of

Key = tuple[str, tuple[tuple[str, str], ...]]
Asked = list[tuple[Key, dict[str, str]]]  # questions: what is fixed, text by language

# What a document about a territory must state, and what else it may.
ABOUT_TERRITORY = (
    ("currency", ("old", "continent", "week", "official")),
    ("since", ("old", "zone", "official", "city")),
    ("zone", ("week", "city", "continent", "speaks")),
    ("week", ("zone", "official", "continent", "since")),
    ("official", ("continent", "city", "zone")),
    ("speaks", ("official", "currency", "script", "continent", "since")),
    ("city", ("zone", "continent", "speaks", "week")),
    ("refused", ("zone", "official", "continent", "week")),
)
COMPARED = ("currency", "official", "zone", "since")
COMPARISONS = 300
THERE_SHARE = 0.5  # of the later sentences about a document's first territory: how many say "there" instead of its name
MOST_RELEVANT = 10  # a query with more relevant documents than this is not asked


def document_plans(rng: random.Random) -> list[tuple[Fact, ...]]:
    """Return the facts of every possible document, in random order."""
    by_entity: dict[tuple[str, str], dict[str, list[Fact]]] = defaultdict(lambda: defaultdict(list))
    by_kind: dict[str, list[Fact]] = defaultdict(list)
    for item in (*all_facts(), *_refusals(rng)):
        by_kind[item.kind].append(item)
        for pair in item.slots:
            by_entity[pair][item.kind].append(item)
    plans = []
    for first, others in ABOUT_TERRITORY:
        for item in by_kind[first]:
            known = dict(by_entity["T", item.code("T")])
            if item.kind == "speaks":
                known["script"] = by_entity["L", item.code("L")]["script"]
            choices = [kind for kind in others if known.get(kind)]
            kinds = rng.sample(choices, min(rng.randint(1, 3), len(choices)))
            plans.append([item] + [rng.choice(known[kind]) for kind in kinds])
    for item in by_kind["script"]:
        spoken = by_entity["L", item.code("L")]["speaks"]
        plans.append([item] + rng.sample(spoken, min(rng.randint(1, 3), len(spoken))))
    for pair, known in sorted(by_entity.items()):
        if pair[0] == "C" and len(known["currency"]) > 1:
            users = known["currency"]
            plans += [rng.sample(users, min(rng.randint(2, 4), len(users))) for _ in range(1 + len(users) // 4)]
    for _ in range(COMPARISONS):
        plans.append(rng.sample(by_kind[rng.choice(COMPARED)], 2))
    different = [plan for plan in dict.fromkeys(tuple(plan) for plan in plans) if len(plan) > 1]
    rng.shuffle(different)
    return different


def _refusals(rng: random.Random) -> list[Fact]:
    """Choose for each territory a currency that CLDR does not list there; its document denies the fact."""
    used = defaultdict(set)
    for item in all_facts():
        if item.kind in ("currency", "old"):
            used[item.code("T")].add(item.code("C" if item.kind == "currency" else "O"))
    known = sorted({item.code("C") for item in all_facts() if item.kind == "currency"})
    weights = [prominence("C", code) for code in known]
    drawn = [(territory, rng.choices(known, weights)[0]) for territory in sorted(used)]
    return [fact("refused", T=territory, C=code) for territory, code in drawn if code not in used[territory]]


def sayable(plan: Sequence[Fact], lang: str) -> list[Fact]:
    """Return the facts of a document for which a language has names and frames."""
    kinds = {frame["kind"] for frame in _whole_frames(lang)}
    return [item for item in plan if item.kind in kinds and has_names(item, [lang])]


def write_document(rng: random.Random, plan: Sequence[Fact], lang: str) -> str:
    """Write a document's sentences in a language in which all of its facts are sayable.

    English documents have frames of their own, other than the bitext's; the translations have the bitext's.
    """
    sentences, here = [], None
    for item in plan:
        whole = [frame for frame in _whole_frames(lang) if frame["kind"] == item.kind]
        there = [frame for frame in frames()["there"] if frame["kind"] == item.kind]
        say_there = there and here is not None and item.value("T") == here and rng.random() < THERE_SHARE
        sentences.append(fill(rng.choice(there if say_there else whole)[lang], item, lang))
        here = item.value("T")
    return " ".join(map(sentence, sentences))


def _whole_frames(lang: str) -> list[Frame]:
    return frames()["documents" if lang == "en" else "statements"]


def key_of(item: Fact, slots: Iterable[str]) -> Key:
    """Return what a question with these slots about a fact fixes: the kind and the codes given."""
    return item.kind, tuple(pair for pair in item.slots if pair[0] in slots)


def implied(item: Fact) -> list[Fact]:
    """Return the fact and what it implies: a territory that has used a currency since some year uses it."""
    if item.kind != "since":
        return [item]
    return [item, fact("currency", T=item.code("T"), C=item.code("C"))]


def question_frames(part: str) -> dict[tuple[str, frozenset[str]], list[Frame]]:
    """Group the question frames of a part (questions, training, test, dev) by kind and slots."""
    groups = defaultdict(list)
    for frame in frames()[part]:
        groups[frame["kind"], slots_of(frame["en"])].append(frame)
    return groups


class Collection:
    """Documents with their facts, and which documents are relevant to which facts."""

    def __init__(self, plans: Mapping[str, Sequence[Fact]]):
        self.plans = plans
        self.relevant: dict[Key, list[str]] = defaultdict(list)
        self.naming: dict[tuple[str, str], list[str]] = defaultdict(list)
        self.stating: dict[str, list[str]] = defaultdict(list)
        shapes = {shape for part in ("test", "dev", "training", "questions") for shape in question_frames(part)}
        for document, plan in self.plans.items():
            items = [item for stated in plan for item in implied(stated)]
            keys = {key_of(item, slots) for item in items for kind, slots in shapes if kind == item.kind}
            keys |= {key_of(item, dict(item.slots)) for item in plan}
            _index(self.relevant, keys, document)
            _index(self.naming, {pair for item in plan for pair in item.slots}, document)
            _index(self.stating, {item.kind for item in plan}, document)

    @classmethod
    def numbered(cls, prefix: str, plans: Iterable[Sequence[Fact]]) -> "Collection":
        """Name the documents by a prefix and their number."""
        return cls({f"{prefix}{number:05d}": plan for number, plan in enumerate(plans, start=1)})

    def askable(self, shape: tuple[str, frozenset[str]], langs: Iterable[str]) -> list[tuple[Key, Fact]]:
        """Return the questions of a shape that have names in all languages and a few relevant documents."""
        kind, slots = shape
        fact_of: dict[Key, Fact] = {}
        for item in all_facts():
            if item.kind == kind and has_names(item, list(langs), set(slots)):
                key = key_of(item, slots)
                if 1 <= len(self.relevant.get(key, ())) <= MOST_RELEVANT:
                    fact_of.setdefault(key, item)
        return list(fact_of.items())

    def hard_negatives(self, rng: random.Random, key: Key, count: int) -> list[str]:
        """Draw documents that are close but not relevant: half name the entity, the rest state the kind of fact."""
        kind, slots = key
        wrong = set(self.relevant[key])
        same_entity = sorted({document for pair in slots for document in self.naming[pair]} - wrong)
        chosen = rng.sample(same_entity, min((count + 1) // 2, len(same_entity)))
        same_kind = [document for document in self.stating[kind] if document not in wrong and document not in chosen]
        return chosen + rng.sample(same_kind, min(count - len(chosen), len(same_kind)))


def _index(table: dict[Any, list[str]], keys: Iterable[object], document: str) -> None:
    for key in keys:
        table[key].append(document)


def ask(
    rng: random.Random, collection: Collection, part: str, size: int, skew: float, taken: set[Key], langs: Iterable[str]
) -> Asked:
    """Choose `size` random questions with the frames of a part, from each shape in turn, and none about `taken` facts.

    Return [(key, {language: text})] and add the keys to `taken`.
    """
    langs = list(langs)
    groups = question_frames(part)
    queues = []
    for shape in sorted(groups, key=lambda shape: (shape[0], sorted(shape[1]))):
        free = [(key, item) for key, item in collection.askable(shape, langs) if key not in taken]
        weight = {key: prominence(*key[1][0]) ** skew for key, _ in free}
        free.sort(key=lambda entry: rng.random() ** (1 / weight[entry[0]]))  # weighted, the last is drawn first
        queues.append((groups[shape], free))
    asked: Asked = []
    while len(asked) < size and any(free for _, free in queues):
        for options, free in queues:
            if free and len(asked) < size:
                key, item = free.pop()
                frame = rng.choice(options)
                asked.append((key, {lang: query(fill(frame[lang], item, lang)) for lang in langs}))
                taken.add(key)
    return asked
