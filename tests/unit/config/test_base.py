"""What every block does: it reads text as numbers, keeps its defaults canonical, and changes only what is asked."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from optical.config.base import Settings
from optical.config.encoder import EncoderSettings
from optical.config.experiment import Config, Search
from optical.config.methods import Method
from optical.config.readers import reader_of
from optical.config.training import Student, StudentSettings, Teacher
from optical.errors import ConfigError

ROOT = Path(__file__).parents[3]


def subclasses(block=Settings):
    """Return every block that the config's modules define."""
    below = [kind for direct in block.__subclasses__() for kind in [direct, *subclasses(direct)]]
    return list(dict.fromkeys(kind for kind in below if kind.__module__.startswith("optical.config.")))


def test_text_becomes_what_a_key_wants_and_nothing_else_changes():
    given = {
        "seeds": ["1", "2"],
        "languages": ["no", "sw"],
        "student": {"learning_rate": "5e-5", "steps": "9", "special_tokens": "false", "sides": ["query"]},
        "method_table": {
            "mine": {"kind": "distilled", "objectives": {"contrastive": "0.5"}, "student": {"steps": "3"}},
            "other": {
                "kind": "distilled",
                "objectives": {"sentence_mse": {"weight": "0.5", "token_weights": "false"}},
            },
        },
        "lexicon": "null",
        "teacher": {
            "training_set": {
                "reader": "plain",
                "documents": "d.tsv",
                "queries": "1",
                "triples": "t.tsv",
                "swap": "false",
                "negatives": "2",
                "query_words": "null",
            }
        },
        "bitext_cleaning": {"train_pairs": "null", "exclude": ["1.txt"]},
        "collection_table": {"mine": {"reader": "afriqa", "questions": "1", "titles": "false", "max_queries": "7"}},
        "search": {"pruned": {"bits": "2"}},
    }
    config = Config.read(given)
    assert config.seeds == [1, 2]
    assert config.languages == ["no", "sw"]
    student = config.student
    assert (student.learning_rate, student.steps, student.special_tokens, student.sides) == (5e-5, 9, False, ["query"])
    mine, other = config.method_table["mine"], config.method_table["other"]
    assert mine.objectives.contrastive.weight == 0.5
    assert mine.student == {"steps": 3}
    assert config.bitext_cleaning.train_pairs is None
    assert config.bitext_cleaning.exclude == ["1.txt"]
    assert (other.objectives.sentence_mse.weight, other.objectives.sentence_mse.token_weights) == (0.5, False)
    assert config.lexicon is None
    training_set = config.teacher.training_set
    assert (training_set.queries, training_set.swap, training_set.negatives) == ("1", False, 2)
    assert training_set.query_words == 32, "null stands for the default"
    assert (config.collection_table["mine"].questions, config.collection_table["mine"].titles) == ("1", False)
    assert config.search.pruned.bits == 2


@pytest.mark.parametrize("block", subclasses(), ids=lambda block: block.__name__)
def test_a_default_is_written_as_it_is_read(block):
    """1 and 1.0 would make two texts of one experiment, and run its jobs again."""
    fields = block.model_fields.values()
    if any(field.is_required() for field in fields) or not hasattr(block, "model_fields"):
        return
    try:
        settings = block.read({})
    except ConfigError:  # of a block that needs one of several keys
        return
    assert json.dumps(block.read(settings.model_dump()).model_dump()) == json.dumps(settings.model_dump())
    assert block.read(json.loads(settings.model_dump_json())) == settings


@pytest.mark.filterwarnings("error")
def test_a_config_survives_json():
    config = Config.read(
        {
            "collection_table": {"x": {"reader": "ir_datasets", "id": {"sw": "a/sw"}, "split": {"length": 9}}},
            "method_table": {
                "x": {"kind": "distilled", "objectives": {"optimal_transport": 1}, "transport": {"tolerance": 1}},
                "y": {"kind": "lexical", "lexical": {"b": 1}},
            },
        }
    )
    assert Config.read(json.loads(config.model_dump_json())) == config
    written = json.loads(config.model_dump_json(exclude_defaults=True))
    assert written["method_table"]["x"]["transport"] == {"tolerance": 1.0}


def test_settings_are_read_once_and_frozen():
    search = Search.read({"top_k": 5})
    assert Search.read(search) is search
    with pytest.raises(ValueError, match="frozen"):
        search.top_k = 6


def test_a_change_is_checked():
    assert Search.read({"top_k": 5}).changed(parts=3) == Search(top_k=5, parts=3)
    with pytest.raises(ConfigError, match="whole number"):
        Search().changed(parts=0)


def test_a_program_takes_its_settings_from_a_block():
    config = Config.read({"student": {"steps": 7, "dropout": "null"}, "encoder": {"source": "folder"}})
    given = config.student.given(StudentSettings, seed=3)
    assert (given["steps"], given["sides"], given["dropout"], given["seed"]) == (7, ["query"], None, 3)
    assert "learning_rate" not in given, "it waits for the encoder"
    assert "source" not in config.encoder.given(EncoderSettings), "no key of the program"
    assert StudentSettings.read(given).steps == 7


def test_a_method_changes_what_it_names_and_nothing_else():
    method = Method.read({"kind": "lexical", "student": {"steps": 5}})
    assert method.student == {"steps": 5}
    assert method.transport == {}


def test_the_seed_of_a_student_is_no_key_of_its_block():
    assert "seed" not in Student.model_fields
    assert {*StudentSettings.model_fields} == {*Student.model_fields, "seed"}
    assert StudentSettings().dropout == Student().dropout == 0.0
    assert Teacher().dropout is None


def test_a_key_waits_for_the_encoder_until_it_is_given():
    assert Student().steps is None
    assert Student.read({"steps": "null", "learning_rate": "2e-4"}).model_dump(include={"steps", "learning_rate"}) == {
        "steps": None,
        "learning_rate": 2e-4,
    }
    with pytest.raises(ConfigError, match="0 is not a whole number from 1"):
        Student.read({"steps": 0})


def test_keys_of_another_reader_are_left_out_and_those_of_none_refused():
    block = {"reader": "belebele", "questions": "q.jsonl", "qrels": "inherited.txt", "documents": "inherited.jsonl"}
    assert reader_of(type(Config.read({"collection_table": {"x": block}}).collection_table["x"])) == "belebele"
    with pytest.raises(ConfigError, match="unknown key 'qrel'"):
        Config.read({"collection_table": {"x": block | {"qrel": "a"}}})


def test_what_programs_import_needs_neither_torch_nor_yaml_nor_the_messages():
    code = (
        "import sys; import optical.config.training;"
        "assert not {'torch', 'numpy', 'yaml', 'inspect_ast', 'optical.config.faults', 'optical.config.describe'}"
        " & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "workflow/scripts")
