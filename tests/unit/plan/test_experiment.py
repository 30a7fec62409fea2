"""What an experiment is made of, and which experiment makes what."""

import subprocess
import sys

import pytest

from optical.errors import ConfigError
from optical.plan.changes import grid, shares, variants
from optical.plan.experiment import Experiment, decided_by
from optical.plan.methods import kinds
from support.experiments import experiment
from support.workspace import ROOT

DEV = {"collection": "atlas-dev"}
ARTEFACTS = set(decided_by(experiment()))


def made_by(owner):
    """Return the artefacts that an experiment makes itself, beside students, runs and scores."""
    return {artefact for artefact in ARTEFACTS if owner.owner(artefact) is owner}


def point(grid_over, **keys):
    """Return the first point of a grid over one key."""
    return grid(experiment(tuning=DEV | {"grid": grid_over}, **keys))[0]


# --- languages, methods, seeds


def test_a_language_is_tried_with_the_methods_that_have_data_for_it():
    full = experiment(file="full.yaml")
    assert {"wikiclir", "code-switch"} <= set(full.methods_for("sw"))
    assert "mmarco" not in full.methods_for("sw")
    assert "wikiclir" not in full.methods_for("so")
    assert full.methods_for("en") == ["english"]
    assert full.languages_of_method("mmarco") == ["de", "fr"]


def test_one_student_is_trained_per_language_method_and_seed():
    tried = experiment(languages=["sw"], methods=["zero-shot", "bm25", "optical"], seeds=[1, 2, 3])
    assert tried.students() == [("sw", "optical", seed) for seed in (1, 2, 3)]
    assert tried.runs("sw") == [("zero-shot", 1), ("bm25", 1), *[("optical", seed) for seed in (1, 2, 3)]]


def test_a_language_that_no_collection_asks_for_has_no_student_no_translator_and_no_sentence_pairs():
    table = {"atlas": {"languages": ["sw", "de"]}}
    tried = experiment({"collection_table": table}, languages=["so", "de", "sw"])
    assert tried.taught_languages() == tried.bitext_languages() == tried.translated_languages() == ["de", "sw"]


def test_the_students_of_the_full_experiment_are_those_that_have_data():
    paper = experiment(file="paper.yaml")
    count = {kind: len(paper.students([kind])) for kind in kinds(reader="student", documents="teacher")}
    assert count == {"distilled": 6 * 6 * 3, "retrained": (6 + 5 + 2) * 3}  # CLIRMatrix has no Somali
    assert not [lang for lang, _, _ in paper.students() if lang == "so"]


def test_languages_have_levels_and_methods_rivals():
    default = experiment()
    assert default.levels() == {"low": ["sw", "so", "tl", "mr"], "high": ["fi", "de", "fr"]}
    assert default.rivals() == ["bm25", "nmt", "zero-shot", "mse", "greedy", "contrastive"]
    assert default.english_methods() == ["english"]


def test_what_nobody_learns_from_is_not_asked_for():
    tried = experiment(methods=["english", "zero-shot"], reference="zero-shot")
    assert tried.bitext_languages() == tried.translated_languages() == tried.aligned_languages() == []
    assert tried.training_sets() == [("teacher", "en")]


def test_training_sets_are_those_of_the_teacher_and_of_methods_that_are_tried():
    full = experiment(file="full.yaml", languages=["sw", "de"])
    expected = [("teacher", "en"), ("wikiclir", "sw"), ("wikiclir", "de"), ("mmarco", "de")]
    assert sorted(full.training_sets()) == sorted(expected)
    given = {"teacher": {"source": "results/other/teacher"}}
    assert ("teacher", "en") in experiment(given, file="full.yaml").training_sets(), "its queries are switched"
    assert ("teacher", "en") not in experiment(given).training_sets()


def test_a_method_may_teach_another_side_than_the_others():
    assert experiment().taught_sides() == ["query"]
    both = {"method_table": {"optical": {"student": {"sides": ["document", "query"]}}}}
    assert experiment(both).taught_sides() == ["query", "document"]
    assert experiment(both, methods=["mse"], reference="mse").taught_sides() == ["query"]


def test_an_experiment_is_called_as_its_folder():
    assert experiment().name == "default"
    assert experiment(file="studies/miracl.yaml").name == "studies/miracl"


def test_a_notebook_shows_an_experiment_in_one_line():
    assert repr(experiment(file="open.yaml")) == "<Experiment open: 7 languages, 14 methods>"


def test_what_leads_nowhere_is_refused_with_key_and_remedy():
    with pytest.raises(ConfigError, match=r"unknown key 'stepz' \[student\]. Hint: did you mean steps"):
        Experiment.from_config({"student": {"stepz": 1}}, ROOT)
    with pytest.raises(ConfigError, match="did you mean optimal_transport"):
        experiment({"method_table": {"optical": {"objectives": {"optimal_transprot": 1}}}})


def test_the_plan_needs_neither_snakemake_nor_torch():
    program = "import sys, optical.plan.checks, optical.plan.downloads; print(*sys.modules)"
    environment = {"PYTHONPATH": str(ROOT / "workflow/scripts")}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert not {"snakemake", "torch", "numpy", "yaml"} & set(done.stdout.split())


# --- who makes what


def test_without_a_parent_an_experiment_makes_everything():
    default = experiment()
    assert made_by(default) == ARTEFACTS
    assert default.place("vectors", "vectors", "atlas") == "results/vectors/atlas"


def test_a_share_of_the_sentence_pairs_has_its_own_bitext_and_the_parents_teacher():
    whole = experiment()
    share = shares(whole)[0]
    own = {"bitext", "mixed_bitext", "tokens", "start", "teacher_vectors"}
    own |= {"lexical_tables", "translators", "extended_vectors"}
    assert made_by(share) == own
    assert all(share.owner(artefact) is whole for artefact in ARTEFACTS - own)
    assert (share.bitext("sw"), share.whole_bitext("sw")) == (
        "results/bitext_curve/1/bitext/sw/train.tsv",
        "results/bitext/sw/train.tsv",
    )
    assert share.bitext("sw", "dev") == "results/bitext/sw/dev.tsv"
    assert share.collection("atlas") == "results/collections/atlas"
    assert share.student("sw", "mse", 1) == "results/bitext_curve/1/students/sw/mse/1"


def test_a_variant_of_a_study_shares_nothing():
    study = experiment(results="results/study", study={"variants": {"long": {"student": {"steps": 400}}}})
    [(_, _, variant)] = variants(study)
    assert made_by(variant) == ARTEFACTS
    assert variant.collection("atlas") == "results/study/long/collections/atlas"


def test_what_decides_students_alone_makes_no_more_than_students():
    tuned = point({"student.learning_rate": [1e-3, 3e-3]})
    assert made_by(tuned) == set()
    assert tuned.student("sw", "optical", 1) == "results/tuning/1/students/sw/optical/1"
    assert tuned.collection("atlas-dev") == "results/collections/atlas-dev"


def test_transport_decides_the_encoder_only_where_pretraining_uses_it():
    grid_over = {"transport.regularisation": [0.03, 0.1]}
    assert made_by(point(grid_over)) == set()
    pairs = {"objectives": {"mlm": 1.0, "optimal_transport": 1.0, "contrastive": 1.0}}
    made = made_by(point(grid_over, pretraining=pairs | {"text": "results/atlas/text/{lang}.txt"}))
    assert {"encoder", "teacher", "vectors"} <= made
    assert not {"tokeniser", "tokens", "training_sets", "collections"} & made


def test_steps_of_the_teacher_make_it_and_what_it_reads_and_not_the_tokeniser():
    made = made_by(point({"teacher.steps": [300, 700]}))
    assert {"teacher", "vectors", "teacher_vectors"} <= made
    assert not {"tokeniser", "encoder", "tokens", "training_tokens", "collections", "bitext"} & made


def test_a_given_teacher_brings_its_tokeniser_and_what_that_makes():
    grid_over = {"teacher.source": ["results/other/teacher"]}
    made = made_by(point(grid_over))
    assert {"tokens", "training_tokens", "vectors"} <= made
    assert not {"whole_bitext", "training_sets", "collections"} & made
    by_tokens = {"reader": "plain", "documents": "results/atlas/documents.jsonl", "qrels": "results/atlas/qrels.txt"}
    by_tokens |= {"queries": "results/atlas/queries/{lang}.tsv", "split": {"unit": "tokens"}}
    table = experiment().given["collection_table"] | {"split": by_tokens}
    assert "collections" in made_by(point(grid_over, collection_table=table))


@pytest.mark.parametrize(
    ("key", "value", "made", "kept"),
    [
        ("bitext_cleaning.train_pairs", 100, {"whole_bitext", "tokeniser", "teacher"}, {"training_sets"}),
        ("encoder.document_length", 60, {"tokeniser", "teacher", "vectors"}, {"bitext", "training_sets"}),
        ("vocabulary.pieces", 300, {"start", "teacher_vectors", "translators"}, {"teacher", "tokens", "vectors"}),
        ("word_alignment.iterations", 3, {"lexical_tables", "start"}, {"teacher", "tokens", "bitext"}),
        ("translator.steps", 3, {"translators"}, {"start", "tokens", "teacher"}),
        ("search.parts", 3, {"vectors"}, {"collections", "teacher"}),
        ("student.sides", ["document"], {"teacher_vectors"}, {"start", "teacher"}),
        ("method_table.bm25.lexical.k1", 1.2, set(), ARTEFACTS),
    ],
)
def test_a_key_decides_these_and_not_those(key, value, made, kept):
    found = made_by(point({key: [value]}))
    assert found >= made
    assert not found & kept
