"""The bundled collection `atlas`: real names and facts from Unicode CLDR in hand-written sentences, in eight languages.

Made by a seeded generator without network: pre-training text, bitext, English documents and training triples, test and
development queries in every language with relevance by construction, a lexicon, and small translated training sets.
"""

import random
from pathlib import Path
from typing import Any

from optical.atlas.documents import (
    Asked,
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
from optical.config.atlas import AtlasLanguage, AtlasSettings
from optical.files import write_jsonl, write_lines, write_rows

Counts = dict[str, Any]  # of what there is of each part, by language where each has some


def generate_atlas(folder: Path, settings: AtlasSettings) -> Counts:
    """Write the collection into a folder and return the size of each part.

    Every file is there, of size 0 empty. Every part has a random stream of its own: less text or bitext of one language
    leaves all else as it is. Of the counts, `covered` is the share of test queries whose names all occur in the bitext.
    """
    folder, seed = Path(folder), settings.seed
    plans = document_plans(_stream(seed, "documents"))[: settings.documents]
    collection = Collection.numbered("d", plans)
    taken: set[Key] = set()
    skew = settings.query_skew
    test = ask(_stream(seed, "test"), collection, "test", settings.test_queries, skew, taken, LANGUAGES)
    dev = ask(_stream(seed, "dev"), collection, "dev", settings.dev_queries, skew, taken, LANGUAGES)
    training = _training_collection(seed, set(plans), settings.train_documents)
    train = _ask_for_training(_stream(seed, "train"), training, settings.train_queries)

    counts: Counts = {
        "documents": _write_documents(folder, collection, seed),
        "test": _write_queries(folder, "t", test, collection),
        "dev": _write_queries(folder / "dev", "v", dev, collection),
        "train": _write_training(folder / "train", train, training, _stream(seed, "triples"), settings),
        "text": {lang: _write_text(folder, lang, settings) for lang in settings.text},
        "bitext": {},
        "lexicon": {},
        "covered": {},
        "wikiclir": {
            lang: _write_wikiclir(folder / "wikiclir" / lang, lang, training, settings) for lang in settings.wikiclir
        },
        "mmarco": {
            lang: _write_mmarco(folder / "mmarco" / lang, lang, training, train, settings) for lang in settings.mmarco
        },
    }
    for lang in settings.bitext:
        counts["bitext"][lang], counts["lexicon"][lang], named = _write_bitext(folder, lang, settings)
        counts["covered"][lang] = sum(set(key[1]) <= named for key, _ in test) / max(len(test), 1)
    return counts


def _training_collection(seed: int, tested: set[tuple[Fact, ...]], size: int) -> Collection:
    """Return documents to train on, none of which is in the collection that is searched.

    A teacher that trained on the collection itself would meet the answers to the questions that are kept from it as
    wrong documents alone, and learn to rank them last.
    """
    plans = [plan for plan in document_plans(_stream(seed, "training documents")) if plan not in tested]
    return Collection.numbered("n", plans[:size])


def _ask_for_training(rng: random.Random, collection: Collection, size: int) -> Asked:
    """Write English training questions, from each shape in turn, each with its own wording, until there are enough."""
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


def _stream(seed: int, *part: str) -> random.Random:
    return random.Random(f"atlas {seed} {' '.join(part)}")


def _write_documents(folder: Path, collection: Collection, seed: int, lang: str = "en") -> int:
    rng = _stream(seed, "document texts", lang)
    rows = ({"id": name, "text": write_document(rng, plan, lang)} for name, plan in collection.plans.items())
    return write_jsonl(folder / "documents.jsonl", rows)


def _write_queries(folder: Path, prefix: str, asked: Asked, collection: Collection) -> int:
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
    folder: Path, asked: Asked, collection: Collection, rng: random.Random, settings: AtlasSettings, lang: str = "en"
) -> Counts:
    """Write queries of one language, triples (query, relevant document, close but not relevant one), documents."""
    queries, triples = [], []
    for number, (key, texts) in enumerate(asked, start=1):
        name = f"q{number:05d}"
        queries.append((name, *texts.values()))
        for negative in collection.hard_negatives(rng, key, settings.negatives):
            triples.append((name, rng.choice(collection.relevant[key]), negative))
    rng.shuffle(triples)
    return {
        "queries": write_rows(folder / "queries.tsv", queries),
        "triples": write_rows(folder / "triples.tsv", triples),
        "documents": _write_documents(folder, collection, settings.seed, lang),
    }


def _write_text(folder: Path, lang: AtlasLanguage, settings: AtlasSettings) -> int:
    """Write monolingual text; English has the wording of documents and training questions too."""
    more = {"statements": frames()["documents"], "questions": frames()["training"]} if lang == "en" else None
    maker = SentenceMaker([lang], settings.skew, more)
    drawn = draw_different(_stream(settings.seed, "text", lang), maker, settings.text[lang])
    return write_lines(folder / "text" / f"{lang}.txt", (texts[lang] for texts, _ in drawn))


def _write_bitext(folder: Path, lang: AtlasLanguage, settings: AtlasSettings) -> tuple[int, int, set[tuple[str, str]]]:
    """Write sentence pairs and the lexicon of the names in them; return their numbers and the (slot, code) pairs."""
    maker = SentenceMaker(["en", lang], settings.skew)
    drawn = draw_different(_stream(settings.seed, "bitext", lang), maker, settings.bitext[lang])
    rows = ((texts["en"], texts[lang]) for texts, _ in drawn)
    pairs = write_rows(folder / "bitext" / f"{lang}.tsv", rows)
    named = {name for _, names in drawn for name in names}
    lexicon = {(name_in("en", *name), name_in(lang, *name)) for name in named if name[0] not in "PY"}
    return pairs, write_rows(folder / "lexicon" / f"{lang}.tsv", sorted(lexicon)), named


def _translated(whole: Collection, lang: str) -> dict[str, tuple[Fact, ...]]:
    """Return the sayable part of every document in a language, if it has more than one sentence."""
    said = {name: tuple(sayable(plan, lang)) for name, plan in whole.plans.items()}
    return {name: plan for name, plan in said.items() if len(plan) > 1}


def _write_wikiclir(folder: Path, lang: AtlasLanguage, whole: Collection, settings: AtlasSettings) -> Counts:
    """Write English queries over documents in the language: a query is a first sentence, as WikiCLIR's are."""
    rng = _stream(settings.seed, "wikiclir", lang)
    plans = list(_translated(whole, lang).values())[: settings.wikiclir[lang]]
    collection = Collection.numbered("w", plans)
    asked = [(key_of(plan[0], dict(plan[0].slots)), {"en": write_document(rng, plan[:1], "en")}) for plan in plans]
    asked = list(dict(asked).items())  # one query a fact
    return _write_training(folder, asked, collection, rng, settings, lang)


def _write_mmarco(
    folder: Path, lang: AtlasLanguage, whole: Collection, train: Asked, settings: AtlasSettings
) -> Counts:
    """Write the training queries and the documents in the language: translate-train data, as mMARCO is."""
    rng = _stream(settings.seed, "mmarco", lang)
    collection = Collection(_translated(whole, lang))
    groups = question_frames("questions")
    asked: Asked = []
    for key, _ in train:
        question = Fact(*key)
        options = groups.get((question.kind, frozenset(dict(question.slots))))
        room = len(asked) < settings.mmarco[lang]
        if options and collection.relevant[key] and has_names(question, [lang]) and room:
            asked.append((key, {lang: query(fill(rng.choice(options)[lang], question, lang))}))
    return _write_training(folder, asked, collection, rng, settings, lang)
