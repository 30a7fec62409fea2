"""The readers on the real files: sizes as published, and no test text in a training set."""

import json

import pytest

from optical.corpora.choices import read_parallel_questions
from optical.corpora.files import comparable
from support.mirror import mirrored, needs_mirror
from support.prepared import prepare_collection, prepare_training_set

pytestmark = needs_mirror

FLORES_CODES = {
    "en": "eng_Latn",
    "de": "deu_Latn",
    "fi": "fin_Latn",
    "fr": "fra_Latn",
    "mr": "mar_Deva",
    "so": "som_Latn",
    "sw": "swh_Latn",
    "tl": "tgl_Latn",
}


def gold_passages(languages="*", splits="*"):
    return mirrored(f"masakhane-io/afriqa/*/data/gold_passages/{languages}/*.en.{splits}.json")


def query_texts(folder):
    return {comparable(line.split("\t")[1]) for path in folder.glob("queries/*.tsv") for line in path.open()}


def test_afriqa_swahili_and_its_training_pairs(tmp_path):
    test = gold_passages("swa", "test")[0]
    pairs = [path for split in ("train", "dev") for path in gold_passages(splits=split)]
    block = {"reader": "afriqa", "questions": {"sw": test}, "passages": gold_passages(splits="test"), "without": pairs}
    counts = prepare_collection(block, ["sw"], tmp_path / "test")
    assert counts == {"documents": 2257, "split": None, "queries": {"en": 295, "sw": 295}, "relevant": 295}
    block = {"reader": "afriqa", "pairs": pairs, "held_out": test}
    counts = prepare_training_set(block, tmp_path / "train")
    assert 3300 < counts["triples"] < 3500
    questions = {comparable(line.split("\t")[1]) for line in (tmp_path / "train/queries.tsv").open()}
    assert not questions & query_texts(tmp_path / "test")
    searched, learned = (
        {json.loads(line)["id"] for line in (tmp_path / name / "documents.jsonl").open()} for name in ("test", "train")
    )
    assert {line.split()[2] for line in (tmp_path / "test/qrels.txt").open()} <= searched
    assert not searched & learned


def test_flores_articles_in_seven_languages(tmp_path):
    root = "Helsinki-NLP/OPUS-MT-testsets/*/datasets/facebook/flores/flores200_dataset"
    block = {
        "reader": "flores_articles",
        "sentences": {lang: mirrored(f"{root}/devtest/{code}.devtest")[0] for lang, code in FLORES_CODES.items()},
        "metadata": mirrored(f"{root}/metadata_devtest.tsv")[0],
    }
    languages = [lang for lang in FLORES_CODES if lang != "en"]
    counts = [prepare_collection(block | {"part": part}, languages, tmp_path / part) for part in ("dev", "test")]
    assert [count["documents"] for count in counts] == [281, 281]
    assert sum(count["queries"]["so"] for count in counts) == 582
    assert min(count["queries"]["so"] for count in counts) > 250
    assert not query_texts(tmp_path / "dev") & query_texts(tmp_path / "test")


def test_belebele_multi30k_mtop_and_miracl(tmp_path):
    belebele = {
        lang: mirrored(f"*/*/*/data/belebele/{code}.jsonl")[0] for lang, code in (("en", "eng_*"), ("de", "deu_*"))
    }
    counts = prepare_collection({"reader": "belebele", "questions": belebele}, ["de"], tmp_path / "belebele")
    assert (counts["documents"], counts["queries"]["de"]) == (488, 900)
    assert len(read_parallel_questions(belebele, "belebele")["de"]) == 900

    root = "multi30k/dataset/*/data"
    captions = [mirrored(f"{root}/task2/raw/test_2016.{k}.en.gz")[0] for k in range(1, 6)]
    queries = {lang: mirrored(f"{root}/task1/raw/test_2016_flickr.{lang}.gz")[0] for lang in ("en", "fr", "cs")}
    queries["de"] = [mirrored(f"{root}/task2/raw/test_2016.{k}.de.gz")[0] for k in range(1, 6)]
    images = mirrored(f"{root}/task2/image_splits/test_2016_images.txt")[0]
    block = {"reader": "multi30k", "captions": captions, "images": images, "queries": queries}
    counts = prepare_collection(block, ["de", "fr", "cs"], tmp_path / "multi30k")
    assert (counts["documents"], counts["queries"]["de"], counts["queries"]["cs"]) == (5000, 5000, 1000)
    counts = prepare_collection(block | {"leave_out_source": True}, ["fr"], tmp_path / "independent")
    assert counts["documents"] == 3999  # each image loses the caption that was translated, one has it twice
    training = {
        "reader": "multi30k",
        "captions": [mirrored(f"{root}/task2/raw/train.{k}.en.gz")[0] for k in range(1, 6)],
        "images": mirrored(f"{root}/task2/image_splits/train_images.txt")[0],
        "held_out_images": images,
    }
    counts = prepare_training_set(training, tmp_path / "captions")
    assert counts == {"documents": 116_000, "queries": 29_000, "triples": 116_000}

    utterances = mirrored("*/XSemPLR/*/dataset/mtop/test.json")[0]
    counts = prepare_collection({"reader": "mtop", "utterances": utterances}, ["de", "hi", "th"], tmp_path / "mtop")
    assert (counts["documents"], counts["queries"]["hi"]) == (1237, 1237)

    block = {
        "reader": "miracl_swahili",
        "topics": mirrored("castorini/*/*/topics/topics.miracl-v1.0-sw-dev.tsv")[0],
        "passages": mirrored("*/tydiqa-language-specific/*/language_data/swahili/*.json"),
    }
    counts = prepare_collection(block, ["sw"], tmp_path / "miracl")
    assert (counts["documents"], counts["queries"]["sw"]) == (1981, 446)


@pytest.mark.parametrize(
    ("subject", "rows"), [("clinical_knowledge", 265), ("college_medicine", 173), ("virology", 166)]
)
def test_mmlu_translations_run_parallel(subject, rows):
    languages = ["af", "am", "bm", "ig", "nso", "sn", "st", "tn", "ts", "xh", "zu"]
    folder = "*/*/*/data/*/mmlu_cm_ck_vir"
    paths = {"en": mirrored(f"{folder}/{subject}_test.csv")[0]}
    paths |= {lang: mirrored(f"{folder}/{subject}_test_{lang}.csv")[0] for lang in languages}
    questions = read_parallel_questions(paths, "mmlu")
    assert {len(rows_of_language) for rows_of_language in questions.values()} == {rows}


def test_mkqa_in_finnish_and_tagalog_and_its_development_part(tmp_path):
    dev, test, tagalog = (
        mirrored(f"mia-workshop/MIA-Shared-Task-2022/*/data/eval/{name}")[0]
        for name in ("mkqa_dev.zip", "mkqa_test_*.zip", "mia2022_test_surprise_tagalog_*.jsonl")
    )
    block = {"reader": "mkqa", "questions": {"en": test, "fi": test, "tl": tagalog}}
    counts = prepare_collection(block, ["fi", "tl"], tmp_path / "test")
    queries = {"en": 5000, "fi": 5000, "tl": 350}
    assert counts == {"documents": 5000, "split": None, "queries": queries, "relevant": 5000}
    counts = prepare_collection({"reader": "mkqa", "questions": {"en": dev, "fi": dev}}, ["fi"], tmp_path / "dev")
    assert counts["queries"] == {"en": 1758, "fi": 1758}
    documents = [(tmp_path / part / "documents.jsonl").read_text().splitlines() for part in ("test", "dev")]
    assert len({comparable(json.loads(line)["text"]) for lines in documents for line in lines}) == 5000 + 1758
