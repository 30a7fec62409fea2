"""The bundled collection: true names, whole frames, disjoint parts, relevance by construction, the same bytes again."""

import os
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest

from optical.atlas.documents import Collection, document_plans
from optical.atlas.facts import LANGUAGES, all_facts, has_names, name_in, names_of
from optical.atlas.generate import _ask_for_training, generate_atlas
from optical.atlas.sentences import frames
from optical.config.atlas import AtlasSettings
from optical.files import as_argument, read_jsonl, read_lines, read_rows
from optical.seals import LIST
from support.workspace import ROOT

SCRIPT = ROOT / "workflow" / "scripts" / "generate_atlas.py"
LOW, HIGH = ("sw", "so", "tl", "mr"), ("fi", "de", "fr")
DEFAULTS = AtlasSettings()
NOTHING = {part: dict.fromkeys(getattr(DEFAULTS, part), 0) for part in ("text", "bitext", "wikiclir", "mmarco")}
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
    counts = generate_atlas(folder, AtlasSettings(seed=3, **SMALL))
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


def frames_of(*parts):
    return [frame for part in parts for frame in frames()[part]]


@pytest.fixture(scope="module")
def collection():
    plans = document_plans(random.Random(7))
    return Collection({f"d{number}": plan for number, plan in enumerate(plans)})


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_the_same_seed_gives_the_same_bytes(atlas, tmp_path, hash_seed):
    command = [sys.executable, SCRIPT, "--settings", as_argument(SMALL | {"seed": 3}), "--out", tmp_path / "again"]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}  # the order of sets must not show
    subprocess.run(command, check=True, capture_output=True, env=environment)
    again = contents(tmp_path / "again")
    assert {name: again[name] for name in again if name != LIST} == contents(atlas[0])


def test_another_seed_gives_other_parts_and_sizes_are_independent(atlas, tmp_path):
    folder, _ = atlas
    generate_atlas(tmp_path / "seed", AtlasSettings(seed=4, **SMALL))
    here, there = contents(folder), contents(tmp_path / "seed")
    assert here.keys() == there.keys() and not [name for name in here if here[name] and here[name] == there[name]]
    sizes = SMALL | {"text": {"en": 20, "fi": 0, "de": 0, "fr": 0}, "negatives": 3}
    generate_atlas(tmp_path / "size", AtlasSettings(seed=3, **sizes))
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
        sizes = getattr(DEFAULTS, part)
        assert max(sizes[lang] for lang in LOW) < 1000 < min(sizes[lang] for lang in HIGH)


def test_most_names_of_test_queries_are_in_the_bitext_but_not_all(atlas):
    covered = atlas[1]["covered"]
    assert 0.2 < covered["mr"] < 1 and covered["de"] > covered["mr"]


def test_program_writes_the_folder(tmp_path):
    few = {"documents": 300, "test_queries": 5, "dev_queries": 5, "train_queries": 9}
    settings = NOTHING | few | {part: NOTHING[part] | {"mr": 5} for part in ("text", "bitext")}
    command = [sys.executable, SCRIPT, "--settings", as_argument(settings), "--out", tmp_path / "atlas"]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "atlas" / "bitext" / "mr.tsv").is_file()
    bad = subprocess.run([*command[:3], "{x: 1}", *command[4:]], capture_output=True, text=True, check=False)
    assert bad.returncode == 1 and "unknown key 'x' [atlas]" in bad.stderr and "Traceback" not in bad.stderr


def test_every_language_can_be_asked_everything():
    kinds = {frame["kind"] for frame in frames_of("test", "dev")}
    for kind in kinds:
        assert sum(item.kind == kind and has_names(item, list(LANGUAGES)) for item in all_facts()) > 100
