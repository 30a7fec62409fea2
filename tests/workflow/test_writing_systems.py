"""Languages of eight writing systems, from config alone to a table: with spaces between words and without."""

import json
import random

import pytest
import yaml

from support.workspace import make_workspace, run_snakemake

pytestmark = pytest.mark.workflow

# script, English order of {subject} {verb} {object} {place}, then the words for those of `ENGLISH`
ENGLISH = "teacher doctor child friend river city tree house sees loves buys finds"
LANGUAGES = {
    "zh": ("Hans", "{s}在{p}{v}{o}。", "老师 医生 孩子 朋友 河流 城市 树木 房子 看见 喜爱 购买 发现"),
    "ja": ("Jpan", "{s}は{p}で{o}を{v}。", "先生 医者 子供 友達 川 都市 木 家 眺める 愛する 買う 探す"),
    "th": ("Thai", "{s}{v}{o}ที่{p}", "ครู หมอ เด็ก เพื่อน แม่น้ำ เมือง ต้นไม้ บ้าน เห็น รัก ซื้อ พบ"),
    "km": ("Khmr", "{s}{v}{o}នៅ{p}។", "គ្រូ វេជ្ជបណ្ឌិត ក្មេង មិត្តភក្តិ ទន្លេ ទីក្រុង ដើមឈើ ផ្ទះ ឃើញ ស្រលាញ់ ទិញ រកឃើញ"),
    "ar": ("Arab", "{v} {s} {o} في {p}.", "معلم طبيب طفل صديق نهر مدينة شجرة بيت يرى يحب يشتري يجد"),
    "el": (
        "Grek",
        "{s} {v} {o} στο {p}.",
        "δάσκαλος γιατρός παιδί φίλος ποτάμι πόλη δέντρο σπίτι βλέπει αγαπά αγοράζει βρίσκει",
    ),
    "am": ("Ethi", "{s} {o} በ {p} {v}።", "መምህር ሐኪም ልጅ ጓደኛ ወንዝ ከተማ ዛፍ ቤት ያያል ይወዳል ይገዛል ያገኛል"),
    "sat": ("Olck", "{s} {o} {p} ᱨᱮ {v} ᱾", "ᱢᱟᱪᱮᱛ ᱰᱟᱠᱛᱚᱨ ᱜᱤᱫᱽᱨᱟᱹ ᱜᱟᱛᱮ ᱜᱟᱰᱟ ᱥᱚᱦᱚᱨ ᱫᱟᱨᱮ ᱚᱲᱟᱜ ᱧᱮᱞ ᱫᱩᱞᱟᱹᱲ ᱠᱤᱨᱤᱧ ᱧᱟᱢ"),
}
PLACES = ["Lima", "Oslo", "Durban", "Quito"]  # the same in all languages: what BM25 alone can find


def sentence(words, order, chosen):
    words = words.split()
    subject, verb, thing, place = chosen
    return order.format(s=words[subject], v=words[8 + verb], o=words[4 + thing], p=PLACES[place])


def write_data(folder):
    """Write bitext, documents, queries and relevance judgments; return the config."""
    every = [(s, v, o, p) for s in range(4) for v in range(4) for o in range(4) for p in range(4)]
    random.Random(1).shuffle(every)
    english = [sentence(ENGLISH, "{s} {v} {o} {p}", chosen) for chosen in every]
    folder.mkdir()
    documents = [json.dumps({"id": f"d{number}", "text": english[160 + number]}) for number in range(40)]
    files = {"documents.jsonl": documents, "qrels.txt": [f"q{number} 0 d{number} 1" for number in range(40)]}
    for lang, (_, order, words) in LANGUAGES.items():
        foreign = [sentence(words, order, chosen) for chosen in every]
        files[f"{lang}.tsv"] = ["\t".join(pair) for pair in zip(english[:160], foreign, strict=False)]
        files[f"queries.{lang}.tsv"] = [f"q{number}\t{foreign[160 + number]}" for number in range(40)]
    for name, lines in files.items():
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = {lang: {"name": lang, "script": row[0], "resource": "low"} for lang, row in LANGUAGES.items()}
    collection = {"reader": "plain", "documents": "data/documents.jsonl", "queries": "data/queries.{lang}.tsv"}
    return {
        "results": "results/world",
        "languages": [*LANGUAGES],
        "language_table": table,
        "methods": ["bm25", "smt"],
        "reference": "smt",
        "bitext": {lang: [{"pairs": f"data/{lang}.tsv", "check_alignment": False}] for lang in LANGUAGES},
        "collections": ["mine"],
        "collection_table": {"mine": collection | {"qrels": "data/qrels.txt"}},
        "lexicon": None,
    }


def test_words_of_eight_writing_systems_end_in_a_table(tmp_path):
    workspace = make_workspace(tmp_path / "project")
    config = workspace / "world.yaml"
    config.write_text(yaml.safe_dump(write_data(workspace / "data"), allow_unicode=True), encoding="utf-8")
    run_snakemake(workspace, "--cores", "2", config=config, target="results/world/map_table.tsv")
    header, *rows = [line.split("\t") for line in (workspace / "results/world/map_table.tsv").read_text().splitlines()]
    means = {row[0]: dict(zip(header[1:], row[1:], strict=True)) for row in rows}
    for lang in LANGUAGES:
        bm25, smt = float(means["bm25"][lang]), float(means["smt"][lang])
        assert 0.15 < bm25 < 0.6, f"{lang}: the place alone is shared with English"
        assert smt > bm25 + 0.2, f"{lang}: its words are known from the sentence pairs"
        report = json.loads((workspace / f"results/world/bitext/{lang}/report.json").read_text())
        assert report["train"] + report["dev"] > 140
