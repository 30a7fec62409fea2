"""The bundled collection `atlas`: real names and facts from Unicode CLDR in hand-written sentences, in eight languages.

Made by a seeded generator without network: pre-training text, bitext, English documents and training triples, test and
development queries in every language with relevance by construction, a lexicon, and small translated training sets.
"""

import random
from collections.abc import Iterable
from pathlib import Path

from optical.atlas.documents import (
    Collection,
    Key,
    ask,
    document_plans,
    key_of,
    question_frames,
    sayable,
    write_document,
)
from optical.atlas.facts import LANGUAGES, Fact, has_names, name_in
from optical.atlas.sentences import SentenceMaker, draw_different, fill, frames, query
from optical.errors import ConfigError
from optical.files import write_jsonl, write_lines, write_rows

# Every size that can be set. Low-resource languages get hundreds of sentences and pairs, the others thousands.
DEFAULTS = {
    "text": {"en": 8000, "fi": 4000, "de": 4000, "fr": 4000, "sw": 900, "tl": 800, "so": 600, "mr": 500},
    "bitext": {"fi": 2500, "de": 2500, "fr": 2500, "sw": 500, "tl": 450, "so": 350, "mr": 300},
    "documents": 2000,
    "test_queries": 180,
    "dev_queries": 100,
    "train_documents": 2000,  # none of them is among the documents
    "train_queries": 14000,
    "negatives": 1,  # triples of each training query
    "skew": 0.9,  # how much more often prominent entities are named in text and bitext: 0 evenly, 1 in proportion
    "query_skew": 2.0,  # the same for test and development queries
    "wikiclir": {"sw": 300, "tl": 400, "fi": 1000, "de": 1000, "fr": 1000},  # documents in the language
    "mmarco": {"de": 1000, "fr": 1000},  # training queries in the language
}


def generate_atlas(folder: Path, seed: int, settings: dict) -> dict:
    """Write the collection into a folder and return how much of everything there is.

    `settings` overrides `DEFAULTS`, a table of languages language by language: every file is there, of size 0 empty.
    Every part has a random stream of its own: less text or bitext of one language leaves all else as it is.
    `covered` in the result is the share of test queries all of whose names occur in a language's bitext.
    """
    folder = Path(folder)
    sizes = _check(settings)
    plans = document_plans(_stream(seed, "documents"))[: sizes["documents"]]
    collection = Collection.numbered("d", plans)
    taken: set[Key] = set()
    skew = sizes["query_skew"]
    test = ask(_stream(seed, "test"), collection, "test", sizes["test_queries"], skew, taken, LANGUAGES)
    dev = ask(_stream(seed, "dev"), collection, "dev", sizes["dev_queries"], skew, taken, LANGUAGES)
    training = _training_collection(seed, set(plans), sizes["train_documents"])
    train = _ask_for_training(_stream(seed, "train"), training, sizes["train_queries"])

    counts = {"documents": _write_documents(folder, collection, seed)}
    counts["test"] = _write_queries(folder, "t", test, collection)
    counts["dev"] = _write_queries(folder / "dev", "v", dev, collection)
    counts["train"] = _write_training(folder / "train", train, training, _stream(seed, "triples"), sizes["negatives"])
    counts["train"]["documents"] = _write_documents(folder / "train", training, seed)
    counts["text"] = {lang: _write_text(folder, lang, seed, sizes) for lang in sizes["text"]}
    counts["bitext"], counts["lexicon"], counts["covered"] = {}, {}, {}
    for lang in sizes["bitext"]:
        named = _write_bitext(folder, lang, seed, sizes, counts)
        counts["covered"][lang] = sum(set(key[1]) <= named for key, _ in test) / max(len(test), 1)
    counts["wikiclir"] = {
        lang: _write_wikiclir(folder / "wikiclir" / lang, lang, seed, size, training, sizes["negatives"])
        for lang, size in sizes["wikiclir"].items()
    }
    counts["mmarco"] = {
        lang: _write_mmarco(folder / "mmarco" / lang, lang, seed, size, training, train, sizes["negatives"])
        for lang, size in sizes["mmarco"].items()
    }
    return counts


def _training_collection(seed: int, tested: set[tuple[Fact, ...]], size: int) -> Collection:
    """Return documents to train on, none of which is in the collection that is searched.

    A teacher that trained on the collection itself would meet the answers to the questions that are kept from it as
    wrong documents alone, and learn to rank them last.
    """
    plans = [plan for plan in document_plans(_stream(seed, "training documents")) if plan not in tested]
    return Collection.numbered("n", plans[:size])


def _ask_for_training(rng: random.Random, collection: Collection, size: int) -> list[tuple[Key, dict[str, str]]]:
    """Ask English training questions, shape by shape in turn, each in a wording of its own, until there are enough."""
    groups = question_frames("training")
    shapes = sorted(groups, key=lambda shape: (shape[0], sorted(shape[1])))
    askable = [(groups[shape], free) for shape in shapes if (free := collection.askable(shape, ["en"]))]
    openings = frames()["openings"]
    asked: dict[str, tuple[Key, dict[str, str]]] = {}
    for turn in range(5 * size if askable else 0):  # a shape with few names runs out of wordings
        wordings, free = askable[turn % len(askable)]
        key, item = rng.choice(free)
        text = query(fill(rng.choice(wordings)["en"], item, "en"))
        text = rng.choice(openings) + text if rng.random() < 0.3 else text
        asked.setdefault(text, (key, {"en": text}))
        if len(asked) == size:
            break
    return list(asked.values())


def _check(settings: dict) -> dict:
    unknown = sorted(set(settings) - set(DEFAULTS))
    if unknown:
        raise ConfigError(f"unknown atlas setting: {', '.join(unknown)}", hint=f"known are {', '.join(DEFAULTS)}")
    sizes = DEFAULTS | settings
    for part in ("text", "bitext", "wikiclir", "mmarco"):
        sizes[part] = DEFAULTS[part] | sizes[part]
        strange = sorted(set(sizes[part]) - set(LANGUAGES))
        if strange:
            raise ConfigError(
                f"no atlas sentences in {', '.join(strange)}", where=part, hint=f"languages: {', '.join(LANGUAGES)}"
            )
    return sizes


def _stream(seed: int, *part: str) -> random.Random:
    return random.Random(f"atlas {seed} {' '.join(part)}")


def _write_documents(folder: Path, collection: Collection, seed: int, lang: str = "en") -> int:
    rng = _stream(seed, "document texts", lang)
    rows = ({"id": name, "text": write_document(rng, plan, lang)} for name, plan in collection.plans.items())
    return write_jsonl(folder / "documents.jsonl", rows)


def _write_queries(folder: Path, prefix: str, asked: list[tuple[Key, dict]], collection: Collection) -> int:
    names = [f"{prefix}{number:03d}" for number in range(1, len(asked) + 1)]
    for lang in LANGUAGES:
        rows = ((name, texts[lang]) for name, (_, texts) in zip(names, asked, strict=True))
        write_rows(folder / "queries" / f"{lang}.tsv", rows)
    judged = zip(names, (key for key, _ in asked), strict=True)
    write_lines(
        folder / "qrels.txt",
        (f"{name} 0 {document} 1" for name, key in judged for document in collection.relevant[key]),
    )
    return len(asked)


def _write_training(
    folder: Path, asked: Iterable[tuple[Key, dict]], collection: Collection, rng: random.Random, negatives: int
) -> dict:
    """Write queries and triples (query, relevant document, close but not relevant document) of one language."""
    queries, triples = [], []
    for number, (key, texts) in enumerate(asked, start=1):
        name = f"q{number:05d}"
        queries.append((name, *texts.values()))
        for negative in collection.hard_negatives(rng, key, negatives):
            triples.append((name, rng.choice(collection.relevant[key]), negative))
    rng.shuffle(triples)
    return {
        "queries": write_rows(folder / "queries.tsv", queries),
        "triples": write_rows(folder / "triples.tsv", triples),
    }


def _write_text(folder: Path, lang: str, seed: int, sizes: dict) -> int:
    """Write monolingual text; English has the wording of documents and training questions too."""
    more = {"statements": frames()["documents"], "questions": frames()["training"]} if lang == "en" else None
    maker = SentenceMaker([lang], sizes["skew"], more)
    drawn = draw_different(_stream(seed, "text", lang), maker, sizes["text"][lang])
    return write_lines(folder / "text" / f"{lang}.txt", (texts[lang] for texts, _ in drawn))


def _write_bitext(folder: Path, lang: str, seed: int, sizes: dict, counts: dict) -> set[tuple[str, str]]:
    """Write sentence pairs and the lexicon of the names in them; return the (slot, code) pairs named."""
    maker = SentenceMaker(["en", lang], sizes["skew"])
    drawn = draw_different(_stream(seed, "bitext", lang), maker, sizes["bitext"][lang])
    rows = ((texts["en"], texts[lang]) for texts, _ in drawn)
    counts["bitext"][lang] = write_rows(folder / "bitext" / f"{lang}.tsv", rows)
    named = set().union(*(pairs for _, pairs in drawn))
    lexicon = {(name_in("en", *pair), name_in(lang, *pair)) for pair in named if pair[0] not in "PY"}
    counts["lexicon"][lang] = write_rows(folder / "lexicon" / f"{lang}.tsv", sorted(lexicon))
    return named


def _translated(whole: Collection, lang: str) -> dict[str, tuple[Fact, ...]]:
    """Return what of every document can be said in a language, where that is more than one sentence."""
    said = {name: tuple(sayable(plan, lang)) for name, plan in whole.plans.items()}
    return {name: plan for name, plan in said.items() if len(plan) > 1}


def _write_wikiclir(folder: Path, lang: str, seed: int, size: int, whole: Collection, negatives: int) -> dict:
    """Write English queries over documents in the language: a query is a first sentence, as WikiCLIR's are."""
    rng = _stream(seed, "wikiclir", lang)
    plans = list(_translated(whole, lang).values())[:size]
    collection = Collection.numbered("w", plans)
    asked = [(key_of(plan[0], dict(plan[0].slots)), {"en": write_document(rng, plan[:1], "en")}) for plan in plans]
    asked = list(dict(asked).items())  # one query a fact
    counts = _write_training(folder, asked, collection, rng, negatives)
    return counts | {"documents": _write_documents(folder, collection, seed, lang)}


def _write_mmarco(
    folder: Path, lang: str, seed: int, size: int, whole: Collection, train: list[tuple[Key, dict]], negatives: int
) -> dict:
    """Write the training queries and the documents in the language: translate-train data, as mMARCO is."""
    rng = _stream(seed, "mmarco", lang)
    collection = Collection(_translated(whole, lang))
    groups = question_frames("questions")
    asked = []
    for key, _ in train:
        question = Fact(*key)
        options = groups.get((question.kind, frozenset(dict(question.slots))))
        if options and collection.relevant[key] and has_names(question, [lang]) and len(asked) < size:
            asked.append((key, {lang: query(fill(rng.choice(options)[lang], question, lang))}))
    counts = _write_training(folder, asked, collection, rng, negatives)
    return counts | {"documents": _write_documents(folder, collection, seed, lang)}
