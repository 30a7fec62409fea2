"""The ir_datasets catalogue: ids checked without a network, small local files in its own layout, the mirror."""

import functools
import gzip
import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from optical.config.collections import CatalogueCollection
from optical.config.training_sets import CatalogueTrainingSet
from optical.corpora import ir_datasets
from optical.corpora.ir_datasets import check_ir_datasets_id, feed_from_mirror, ids_and_parts
from optical.errors import ConfigError, DataError, ResourceError
from optical.plan.experiment import Experiment
from optical.plan.sources import catalogue_of_collection, catalogue_of_training_set
from support.workspace import ROOT, config_layers

SCRIPTS = ROOT / "workflow/scripts"
CONFIGS = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "config/studies").glob("*.yaml")])

TEST_PARTS = ["docs", "queries", "qrels"]
IDS_OF_THE_FULL_EXPERIMENT = [
    ("msmarco-passage/train/triples-small", ["docs", "queries", "docpairs"]),
    *[(f"clirmatrix/en/bi139-base/{lang}/test1", TEST_PARTS) for lang in ("sw", "tl", "mr", "fi", "de", "fr")],
    *[(f"wikiclir/{lang}", TEST_PARTS) for lang in ("sw", "tl", "fi", "de", "fr")],
    *[(f"mmarco/v2/{lang}/train", ["queries", "docpairs"]) for lang in ("de", "fr")],
    ("miracl/sw/dev", TEST_PARTS),
    ("neuclir/1/fa/trec-2022", TEST_PARTS),
]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_ids_of_every_config_have_their_parts(path):
    experiment = Experiment.from_files(*config_layers(path), folder=ROOT)
    asked = [name for name in experiment.config.collection_table if experiment.languages_of(name)]
    named = dict(part for name in asked for part in catalogue_of_collection(experiment, name))
    for owner in experiment.training_sets():
        named |= dict(catalogue_of_training_set(experiment, *owner))
    for dataset_id, parts in named.items():
        check_ir_datasets_id(dataset_id, parts)
    assert bool(named) == ("reader: ir_datasets" in path.read_text(encoding="utf-8"))
    assert "{" not in "".join(named)
    if path.stem == "paper":
        assert named["mmarco/v2/de/train"] == ["queries", "docpairs"] and "clirmatrix/en" in named


@pytest.mark.parametrize(("dataset_id", "parts"), IDS_OF_THE_FULL_EXPERIMENT)
def test_ids_of_the_full_experiment_have_their_parts(dataset_id, parts):
    check_ir_datasets_id(dataset_id, parts)


@pytest.mark.parametrize(
    ("dataset_id", "parts", "message"),
    [
        ("clirmatrix/en/bi139-base/so/train", ["docs"], "no such id"),
        ("clirmatrix/en", ["docs", "qrels"], "has no qrels"),
        ("wikiclir/sw", ["docpairs"], "has no docpairs"),
        ("miracl/sw", ["queries"], "has no queries"),
        ("msmarco-passage/train/triple-small", ["docs"], "did you mean msmarco-passage/train/triples-small"),
    ],
)
def test_wrong_ids_and_missing_parts_are_config_errors(dataset_id, parts, message):
    with pytest.raises(ConfigError, match=message):
        check_ir_datasets_id(dataset_id, parts)


def collection(id_):
    return CatalogueCollection(reader="ir_datasets", id=id_)


def test_ids_of_a_block_and_what_is_taken_from_them():
    block = collection("clirmatrix/en/bi139-base/{lang}/dev")
    assert ids_and_parts(block, ["sw", "fi"]) == [
        ("clirmatrix/en", ["docs"]),
        ("clirmatrix/en/bi139-base/sw/dev", ["queries", "qrels"]),
        ("clirmatrix/en/bi139-base/fi/dev", ["queries", "qrels"]),
    ]
    training = CatalogueTrainingSet(reader="ir_datasets", documents_id="msmarco-passage", id="mmarco/v2/de/train")
    assert ids_and_parts(training, []) == [
        ("msmarco-passage", ["docs"]),
        ("mmarco/v2/de/train", ["queries", "docpairs"]),
    ]
    with pytest.raises(ConfigError, match="different documents"):
        ids_and_parts(collection({lang: f"mmarco/v2/{lang}/dev/small" for lang in ("de", "fr")}), ["de", "fr"])
    with pytest.raises(ConfigError, match="one id for the queries of 2 languages"):
        ids_and_parts(collection("miracl/sw/dev"), ["sw", "so"])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Lay out a few invented rows as ir_datasets keeps MS MARCO, mMARCO, WikiCLIR and CLIRMatrix."""
    home = tmp_path_factory.mktemp("ir_datasets")
    files = {
        "msmarco-passage/irds_version.txt": "v2",
        "msmarco-passage/collection.tsv": "0\tTea is dried\n1\tA kettle boils\n2\tSnow melts\n3\tSalt dissolves\n",
        "msmarco-passage/train/queries.tsv": "10\thow is tea made\n11\twhat melts\n",
        "msmarco-passage/train/qrels": "10 0 0 1\n11 0 2 1\n",
        "msmarco-passage/train/small.triples.qidpid.tsv": "10\t0\t1\n11\t2\t3\n10\t0\t3\n",
        "wikiclir/source/wiki-clir/english/wiki_en.queries": "7\tNile\ta river in Africa\n8\tAlps\tmountains\n",
        "wikiclir/source/wiki-clir/swahili/wiki_sw.documents": "sw1\tNaili\tmto mrefu\nsw2\tAlpi\tmilima ya Ulaya\n",
        "wikiclir/source/wiki-clir/swahili/en2sw.rel": "7 sw1 2\n7 sw2 1\n8 sw2 2\n",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    matrix = home / "clirmatrix"
    matrix.mkdir()
    downloads = {"clirmatrix_docs": {"docs/en": {"url": "http://localhost/en", "cache_path": "en.gz"}}}
    for lang in ("sw", "fi"):
        key = f"queries/{lang}_en/dev"
        split = {key: {"url": f"http://localhost/{lang}", "cache_path": f"{lang}.gz"}}
        downloads.setdefault("clirmatrix_bi139_base", {}).update(split)
    rows = {
        "sw": [{"src_id": "5", "src_query": "mlima", "tgt_results": [["e1", 6], ["e2", 0]]}],
        "fi": [{"src_id": "5", "src_query": "järvi", "tgt_results": [["e2", 5], ["e9", 1]]}],
    }
    compressed = {"clirmatrix_downloads.json.gz": json.dumps(downloads), "en.gz": "e1\tmountain\ne2\tlake\ne3\tsea\n"}
    compressed |= {f"{lang}.gz": "".join(json.dumps(row) + "\n" for row in rows[lang]) for lang in rows}
    for name, text in compressed.items():
        with gzip.open(matrix / name, "wt", encoding="utf-8") as file:
            file.write(text)
    return home


def run(script, home, out, settings, *arguments):
    """Run a preparation script against the local files, with no way to any network."""
    command = [sys.executable, SCRIPTS / script, "--settings", json.dumps({"reader": "ir_datasets"} | settings)]
    command += ["--out", out, *arguments]
    environment = {"PATH": "/usr/bin:/bin", "IR_DATASETS_HOME": str(home), "IR_DATASETS_DL_TRIES": "1"}
    environment |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)


def test_triples_are_streamed_with_the_documents_they_name(home, tmp_path):
    settings = {"id": "msmarco-passage/train/triples-small", "max_triples": 2}
    done = run("prepare_training_set.py", home, tmp_path / "out", settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/triples.tsv").read_text() == "10\t0\t1\n11\t2\t3\n"
    assert (tmp_path / "out/queries.tsv").read_text() == "10\thow is tea made\n11\twhat melts\n"
    assert json.loads((tmp_path / "out/documents.jsonl").open().readline()) == {"id": "0", "text": "Tea is dried"}


def test_wikiclir_gives_foreign_queries_for_english_texts_when_swapped(home, tmp_path):
    settings = {"id": "wikiclir/sw", "triples": "qrels", "swap": True, "min_grade": 2, "query_field": "first_sent"}
    done = run("prepare_training_set.py", home, tmp_path / "out", settings)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/triples.tsv").read_text() == "sw1\t7\nsw2\t8\n"
    assert (tmp_path / "out/queries.tsv").read_text() == "sw1\tNaili mto mrefu\nsw2\tAlpi milima ya Ulaya\n"
    assert '"a river in Africa"' in (tmp_path / "out/documents.jsonl").read_text()


def test_clirmatrix_languages_share_documents_but_not_queries(home, tmp_path):
    settings = {"id": "clirmatrix/en/bi139-base/{lang}/dev", "documents": "pooled"}
    done = run(
        "prepare_collection.py", home, tmp_path / "out", settings, "--languages", "sw", "fi", "--collection", "c"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/queries/fi.tsv").read_text() == "fi-5\tjärvi\n"
    assert (tmp_path / "out/qrels.txt").read_text() == "sw-5 0 e1 6\nsw-5 0 e2 0\nfi-5 0 e2 5\n"
    documents = (tmp_path / "out/documents.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in documents] == ["e1", "e2"]


def test_a_download_that_fails_is_one_line_and_leaves_nothing(home, tmp_path):
    done = run(
        "prepare_collection.py",
        home,
        tmp_path / "out",
        {"id": "miracl/sw/dev"},
        "--languages",
        "sw",
        "--collection",
        "c",
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "ResourceError: could not get the" in last
    assert "miracl/sw/dev" in last
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_mirror_feeds_ir_datasets(tmp_path):
    folder = tmp_path / "mirror/www.cs.jhu.edu/~shuosun/clirmatrix/data"
    folder.mkdir(parents=True)
    inner = {"clirmatrix_docs": {"docs/en": {"url": "http://www.cs.jhu.edu/~shuosun/clirmatrix/data/en.gz"}}}
    inner["clirmatrix_docs"]["docs/en"]["expected_md5"] = "0123"
    inner["clirmatrix_docs"]["docs/sw"] = {"url": "http://www.cs.jhu.edu/~shuosun/clirmatrix/data/sw.gz?download=1"}
    inner["clirmatrix_docs"]["docs/sw"]["expected_md5"] = "4567"
    with gzip.open(folder / "downloads.json.gz", "wt") as file:
        json.dump(inner, file)
    (folder / "en.gz").write_bytes(b"documents")
    (folder / "sw.gz?download=1").write_bytes(b"nyaraka")
    assert feed_from_mirror(tmp_path / "mirror", tmp_path / "home") == 3
    assert (tmp_path / "home/downloads/4567").read_bytes() == b"nyaraka"
    assert (tmp_path / "home/downloads/0123").read_bytes() == b"documents"
    assert feed_from_mirror(tmp_path / "mirror", tmp_path / "home") == 3  # again: the links are there already
    assert len(list((tmp_path / "home/downloads").iterdir())) == 3


def test_fetching_reads_each_part_to_its_end_and_says_how_long_it_is(home, tmp_path):
    environment = {"PATH": "/usr/bin:/bin", "IR_DATASETS_HOME": str(home), "https_proxy": "http://127.0.0.1:9"}
    out = tmp_path / "record.json"
    command = [sys.executable, SCRIPTS / "fetch_ir_datasets.py", "--id", "msmarco-passage/train/triples-small"]
    command += ["--parts", "docs", "queries", "docpairs", "--out", out]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["rows"] == {"docs": 4, "queries": 2, "docpairs": 3}


class Unfit:
    """A row of a dataset as some give it."""

    def __init__(self, **values):
        self.__dict__ |= values

    def default_text(self):
        return self.text


def test_rows_that_yield_nothing_halves_of_characters_and_faults_are_one_line(monkeypatch):
    rows = {"docs": [Unfit(doc_id="a", text=None), Unfit(doc_id="b", text="x")]}

    def stand_in(_dataset_id):
        def rows_of(part):
            for row in rows[part]:
                if isinstance(row, Exception):
                    raise row
                yield row

        return SimpleNamespace(**{f"{part}_iter": functools.partial(rows_of, part) for part in rows})

    monkeypatch.setattr(ir_datasets, "_load", stand_in)
    assert [document["id"] for document in ir_datasets._documents("mine")] == ["b"]
    rows["docs"][1].text = "\ud83d"
    with pytest.raises(DataError, match=r"document b holds half of a character, '.ud83d' \[mine\]"):
        list(ir_datasets._documents("mine"))
    rows["queries"] = [Unfit(query_id="q", text=None)]
    assert list(ir_datasets._queries("mine", None)) == [("q", "")]
    rows["qrels"] = [Unfit(query_id="q", doc_id="b", relevance=None)]
    with pytest.raises(DataError, match="the grade None is not a whole number"):
        list(ir_datasets._qrels("mine", 1))
    for fault, kind in ((OSError(5, "Input/output error"), ResourceError), (ValueError("bad row"), DataError)):
        rows["docs"] = [fault]
        with pytest.raises(kind, match=r"could not (get|read) the docs: .*\[mine\]"):
            list(ir_datasets._documents("mine"))
