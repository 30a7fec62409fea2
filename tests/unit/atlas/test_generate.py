"""The bundled collection: true names, whole frames, disjoint parts, relevance by construction, the same bytes again."""

import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from babel import Locale

from optical.atlas.documents import MOST_RELEVANT, Collection, ask, document_plans, key_of, sayable, write_document
from optical.atlas.facts import LANGUAGES, LOCALES, all_facts, fact, has_names, name_in, names_of, prominence
from optical.atlas.generate import DEFAULTS, _ask_for_training, generate_atlas
from optical.atlas.sentences import SentenceMaker, draw_different, fill, frames, slots_of
from optical.errors import ConfigError
from optical.files import as_argument, read_jsonl, read_lines, read_rows
from support.workspace import ROOT

SCRIPT = ROOT / "workflow" / "scripts" / "generate_atlas.py"
LOW, HIGH = ("sw", "so", "tl", "mr"), ("fi", "de", "fr")
NOTHING = {part: dict.fromkeys(DEFAULTS[part], 0) for part in ("text", "bitext", "wikiclir", "mmarco")}
SMALL = {
    "text": NOTHING["text"] | {"en": 300, "mr": 60},
    "bitext": NOTHING["bitext"] | {"mr": 150, "sw": 150, "de": 300},
    "documents": 900,
    "train_documents": 800,
    "test_queries": 60,
    "dev_queries": 40,
    "train_queries": 200,
    "wikiclir": NOTHING["wikiclir"] | {"sw": 40},
    "mmarco": NOTHING["mmarco"] | {"de": 50},
}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    folder = tmp_path_factory.mktemp("atlas")
    counts = generate_atlas(folder, 3, SMALL)
    return folder, counts


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def relevant_of(path):
    table = defaultdict(set)
    for line in read_lines(path):
        query, _, document, grade = line.split()
        assert grade == "1"
        table[query].add(document)
    return table


# Names and facts


@pytest.mark.parametrize("lang", LANGUAGES)
def test_names_are_the_languages_own(lang):
    locale = Locale.parse(LOCALES[lang])
    tables = {"T": locale.territories, "L": locale.languages, "S": locale.scripts, "C": locale.currencies}
    for (slot, code), name in names_of(lang).items():
        if slot in tables:
            assert name.replace(" ", "") == re.sub("[\u200c\u200d\\s]", "", tables[slot][code])


def test_no_english_name_passes_for_a_translation():
    assert name_in("sw", "N", "Africa/Nairobi") is None  # CLDR derives it from the identifier: no Swahili name
    assert name_in("en", "N", "Africa/Nairobi") == "Nairobi"
    assert name_in("so", "N", "Africa/Nairobi") == "Nayroobi"


def test_names_stand_for_one_thing():
    for lang in LANGUAGES:
        uses = Counter((slot, name.casefold()) for (slot, _), name in names_of(lang).items())
        assert max(uses.values()) == 1


def test_known_facts():
    facts = set(all_facts())
    assert fact("currency", T="TZ", C="TZS") in facts
    assert fact("currency", T="FI", C="EUR") in facts and fact("currency", T="FI", C="FIM") not in facts
    assert fact("old", T="FI", O="FIM", Y="2002") in facts
    assert fact("script", L="mr", S="Deva") in facts
    assert fact("official", T="KE", L="sw") in facts
    assert fact("continent", T="PH", K="142") in facts
    assert fact("week", T="US", D="6") in facts and fact("week", T="DE", D="0") in facts


def test_marathi_has_its_own_digits_and_days_are_nominative():
    assert name_in("mr", "Y", "1966") == "१९६६"
    assert name_in("fi", "D", "0") == "maanantai"


def test_reading_names_leaves_babel_as_it_was():
    code = "import optical.atlas.facts as f; f.all_facts(); [f.names_of(lang) for lang in f.LANGUAGES];"
    code += "from babel import Locale; assert Locale('en_US').first_week_day == 6 and Locale('en').decimal_formats"
    folder = str(SCRIPT.parent)
    subprocess.run([sys.executable, "-c", code], check=True, cwd=folder)


# Frames


def frames_of(*parts):
    return [frame for part in parts for frame in frames()[part]]


@pytest.mark.parametrize("part", ["statements", "there", "questions", "test", "dev", "general"])
def test_frames_are_parallel(part):
    for frame in frames()[part]:
        assert set(frame) - {"kind"} == set(LANGUAGES), frame["en"]
        for lang in LANGUAGES:
            assert slots_of(frame[lang]) == slots_of(frame["en"]), frame[lang]
            assert Counter(re.findall(r"\{\w+\}", frame[lang])) == Counter(re.findall(r"\{\w+\}", frame["en"]))
            assert frame[lang].endswith("?") == frame["en"].endswith("?"), frame[lang]
        assert len({frame[lang] for lang in LANGUAGES}) == len(LANGUAGES)


def test_frames_ask_and_say_what_facts_have():
    slots = {item.kind: {slot for slot, _ in item.slots} for item in all_facts()}
    slots["refused"] = {"T", "C"}
    for frame in frames_of("statements", "there", "questions", "test", "dev", "documents", "training"):
        assert slots_of(frame["en"]) <= slots[frame["kind"]], frame["en"]


def test_there_are_enough_frames():
    assert len(frames()["statements"]) >= 12 and len(frames()["questions"]) >= 10
    assert len(frames()["test"]) + len(frames()["dev"]) >= 15 and len(frames()["training"]) >= 15


def test_query_frames_are_nowhere_else():
    for lang in LANGUAGES:
        bitext = {frame[lang] for frame in frames_of("statements", "there", "questions", "general")}
        test, dev = ({frame[lang] for frame in frames()[part]} for part in ("test", "dev"))
        assert not test & dev and not (test | dev) & bitext
    asked = {frame["en"] for frame in frames_of("test", "dev")}
    assert not asked & {frame["en"] for frame in frames()["training"]}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_most_words_of_query_frames_are_in_the_bitext(lang):
    def words(*parts):
        return [word for frame in frames_of(*parts) for word in re.findall(r"[^\s{}?.,:;]{2,}", frame[lang].lower())]

    known = set(words("statements", "there", "questions", "general"))
    asked = words("test", "dev")
    assert sum(word in known for word in asked) / len(asked) > 0.8


def test_english_article():
    assert fill("{T}", fact("x", T="PH"), "en") == "the Philippines"
    assert fill("{T}", fact("x", T="KE"), "en") == "Kenya"
    assert fill("{T}", fact("x", T="PH"), "de") == "Philippinen"


# Sentences


def test_sentences_say_the_same_and_are_short():
    maker = SentenceMaker(["en", "fi"], 0.9)
    drawn = draw_different(random.Random(5), maker, 400)
    assert len(drawn) == 400 == len({tuple(texts.values()) for texts, _ in drawn})
    for texts, named in drawn:
        for lang, text in texts.items():
            assert len(text.split()) <= 25 and text[-1] in ".?" and "{" not in text
            for slot, code in named:
                assert name_in(lang, slot, code).casefold() in text.casefold()
    lengths = [len(texts["en"].split()) for texts, _ in drawn]
    assert 8 < sum(lengths) / len(lengths) < 16 and max(lengths) > 18


def test_prominent_entities_are_named_more_often_with_skew():
    def mean_prominence(skew):
        drawn = draw_different(random.Random(5), SentenceMaker(["en"], skew), 500)
        found = [prominence(slot, code) for _, named in drawn for slot, code in named if slot == "T"]
        return sum(found) / len(found)

    assert mean_prominence(1.0) > mean_prominence(0.0) + 1


# Documents and relevance


@pytest.fixture(scope="module")
def collection():
    plans = document_plans(random.Random(7))
    return Collection({f"d{number}": plan for number, plan in enumerate(plans)})


def test_documents_are_many_and_confusable(collection):
    assert len(collection.plans) >= 1500
    assert all(2 <= len(plan) <= 4 for plan in collection.plans.values())
    assert len(collection.naming["T", "KE"]) >= 5
    states_currency = collection.relevant[key_of(fact("currency", T="KE", C="KES"), ["T"])]
    assert 0 < len(states_currency) < len(collection.naming["T", "KE"])


def test_relevance_is_what_the_facts_say(collection):
    key = ("currency", (("C", "XAF"),))
    stating = {
        name
        for name, plan in collection.plans.items()
        if any(item.kind in ("currency", "since") and item.value("C") == "XAF" for item in plan)
    }
    assert stating and set(collection.relevant[key]) == stating


def test_a_denied_fact_is_not_relevant(collection):
    facts = set(all_facts())
    denials = [item for plan in collection.plans.values() for item in plan if item.kind == "refused"]
    assert denials
    for item in denials:
        assert fact("currency", T=item.value("T"), C=item.value("C")) not in facts


def test_documents_name_what_they_are_about(collection):
    rng = random.Random(1)
    for plan in list(collection.plans.values())[:300]:
        text = write_document(rng, plan, "en")
        assert text.count(".") >= len(plan)
        for item in plan:
            for slot, code in item.slots:
                numbers_left_out = item.kind == "speaks" and slot == "P"
                assert numbers_left_out or name_in("en", slot, code).casefold() in text.casefold()


def test_translated_documents_leave_out_what_has_no_name(collection):
    plan = [fact("currency", T="KE", C="KES"), fact("city", T="KE", N="Africa/Nairobi")]
    assert sayable(plan, "sw") == plan[:1] and sayable(plan, "so") == plan


def test_hard_negatives_are_wrong_and_close(collection):
    key = ("speaks", (("T", "KE"), ("L", "sw")))
    negatives = collection.hard_negatives(random.Random(2), key, 6)
    assert len(set(negatives)) == 6 and not set(negatives) & set(collection.relevant[key])
    about = set(collection.naming["T", "KE"]) | set(collection.naming["L", "sw"])
    assert sum(name in about for name in negatives) >= 3


def test_questions_of_parts_never_meet(collection):
    taken = set()
    test = ask(random.Random(1), collection, "test", 100, 1.0, taken, LANGUAGES)
    train = ask(random.Random(1), collection, "training", 2000, 0.0, taken, ["en"])
    assert len(test) == 100 and len(train) > 1000
    assert not {key for key, _ in test} & {key for key, _ in train}
    assert len(taken) == len(test) + len(train)
    for key, texts in test:
        assert 1 <= len(collection.relevant[key]) <= MOST_RELEVANT and set(texts) == set(LANGUAGES)


# The files


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_gives_the_same_bytes(atlas, tmp_path, hash_seed):
    command = [sys.executable, SCRIPT, "--seed", "3", "--settings", as_argument(SMALL), "--out", tmp_path / "again"]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}  # the order of sets must not show
    subprocess.run(command, check=True, capture_output=True, env=environment)
    assert contents(tmp_path / "again") == contents(atlas[0])


def test_another_seed_gives_other_parts_and_sizes_are_independent(atlas, tmp_path):
    folder, _ = atlas
    generate_atlas(tmp_path / "seed", 4, SMALL)
    here, there = contents(folder), contents(tmp_path / "seed")
    assert here.keys() == there.keys() and not [name for name in here if here[name] and here[name] == there[name]]
    generate_atlas(tmp_path / "size", 3, SMALL | {"text": {"en": 20, "fi": 0, "de": 0, "fr": 0}, "negatives": 3})
    there = contents(tmp_path / "size")
    assert here.keys() == there.keys(), "a language that a table leaves out has its default size"
    same = {name for name in there if here[name] == there[name]}
    assert {"documents.jsonl", "queries/mr.tsv", "bitext/mr.tsv", "train/queries.tsv"} <= same
    assert "text/en.txt" not in same and "train/triples.tsv" not in same


def test_queries_have_all_languages_and_judgements(atlas):
    folder, counts = atlas
    documents = {row["id"] for row in read_jsonl(folder / "documents.jsonl")}
    assert len(documents) == counts["documents"] == 900
    for part, size in ((folder, 60), (folder / "dev", 40)):
        relevant = relevant_of(part / "qrels.txt")
        assert len(relevant) == size and set().union(*relevant.values()) <= documents
        assert any(len(found) > 1 for found in relevant.values())
        for lang in LANGUAGES:
            assert [row[0] for row in read_rows(part / "queries" / f"{lang}.tsv", 2)] == list(relevant)


def test_no_document_of_the_collection_is_trained_on(atlas):
    folder, counts = atlas
    trained = [row["text"] for row in read_jsonl(folder / "train" / "documents.jsonl")]
    assert len(trained) == counts["train"]["documents"] == 800
    searched = {frozenset(row["text"].split(". ")) for row in read_jsonl(folder / "documents.jsonl")}
    assert not searched & {frozenset(text.split(". ")) for text in trained}


def test_training_questions_are_asked_of_every_kind_alike(collection):
    asked = _ask_for_training(random.Random(1), collection, 1500)
    shapes = Counter((kind, tuple(slot for slot, _ in slots)) for (kind, slots), _ in asked)
    assert len(asked) == 1500 == len({texts["en"] for _, texts in asked})
    assert len(shapes) >= 12 and max(shapes.values()) < 2 * min(shapes.values())


def test_no_query_is_in_what_models_train_on(atlas):
    folder, _ = atlas
    asked = {
        row[1]
        for part in (folder, folder / "dev")
        for lang in LANGUAGES
        for row in read_rows(part / "queries" / f"{lang}.tsv", 2)
    }
    seen = {cell for path in folder.glob("bitext/*.tsv") for row in read_rows(path, 2) for cell in row}
    seen |= {line for path in folder.glob("text/*.txt") for line in read_lines(path)}
    seen |= {row[1] for path in folder.glob("*/**/queries.tsv") for row in read_rows(path, 2)}
    assert len(seen) > 1000 and not {text.rstrip(".") for text in seen} & {text.rstrip(".") for text in asked}


@pytest.mark.parametrize("part", ["train", "wikiclir/sw", "mmarco/de"])
def test_triples_point_at_what_exists(atlas, part):
    folder = atlas[0] / part
    names = {row["id"] for row in read_jsonl(folder / "documents.jsonl")}
    queries = {row[0] for row in read_rows(folder / "queries.tsv", 2)}
    triples = list(read_rows(folder / "triples.tsv", 3))
    assert {row[0] for row in triples} == queries and len(queries) >= 35
    assert all(positive in names and negative in names and positive != negative for _, positive, negative in triples)


def test_wikiclir_shape_is_english_queries_over_foreign_documents(atlas):
    folder = atlas[0] / "wikiclir" / "sw"
    first = next(read_rows(folder / "queries.tsv", 2))[1]
    text = next(read_jsonl(folder / "documents.jsonl"))["text"]
    assert re.search(r"\b(the|in|of|is|are)\b", first) and re.search(r"\b(nchi|lugha|sarafu|ya)\b", text)


def test_lexicon_pairs_are_true_and_occur_together(atlas):
    folder, _ = atlas
    for lang in ("mr", "sw", "de"):
        pairs = [tuple(cell.casefold() for cell in row) for row in read_rows(folder / "bitext" / f"{lang}.tsv", 2)]
        known = {(name_in("en", *pair), name) for pair, name in names_of(lang).items() if pair in names_of("en")}
        lexicon = [tuple(row) for row in read_rows(folder / "lexicon" / f"{lang}.tsv", 2)]
        assert len(lexicon) > 100 and set(lexicon) <= known
        for english, foreign in lexicon:
            assert any(english.casefold() in left and foreign.casefold() in right for left, right in pairs)


def test_resources_are_unbalanced_by_default():
    for part in ("text", "bitext"):
        sizes = DEFAULTS[part]
        assert max(sizes[lang] for lang in LOW) < 1000 < min(sizes[lang] for lang in HIGH)


def test_most_names_of_test_queries_are_in_the_bitext_but_not_all(atlas):
    covered = atlas[1]["covered"]
    assert 0.2 < covered["mr"] < 1 and covered["de"] > covered["mr"]


def test_wrong_settings_are_named(tmp_path):
    with pytest.raises(ConfigError, match="documets"):
        generate_atlas(tmp_path, 1, {"documets": 5})
    with pytest.raises(ConfigError, match="xx"):
        generate_atlas(tmp_path, 1, {"bitext": {"xx": 5}})


def test_program_writes_the_folder(tmp_path):
    few = {"documents": 300, "test_queries": 5, "dev_queries": 5, "train_queries": 9}
    settings = NOTHING | few | {part: NOTHING[part] | {"mr": 5} for part in ("text", "bitext")}
    command = [sys.executable, SCRIPT, "--seed", "1", "--settings", as_argument(settings), "--out", tmp_path / "atlas"]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "atlas" / "bitext" / "mr.tsv").is_file()
    bad = subprocess.run([*command[:5], "{x: 1}", *command[6:]], capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "unknown atlas setting: x" in bad.stderr and "Traceback" not in bad.stderr


def test_every_language_can_be_asked_everything():
    kinds = {frame["kind"] for frame in frames_of("test", "dev")}
    for kind in kinds:
        assert sum(item.kind == kind and has_names(item, list(LANGUAGES)) for item in all_facts()) > 100
