"""The tables of languages and data sets: their rules, and how file references are resolved."""

import re

import pytest

from optical.config.bitext import BitextSource
from optical.config.collections import files_of
from optical.config.tables import (
    UNKNOWN,
    fill_codes,
    get_dataset,
    read_datasets,
    read_languages,
    resolve,
    resolve_source,
)
from optical.errors import ConfigError, DataError
from optical.fetch.download import local_source
from optical.files import sha256_of
from support.mirror import MIRROR, needs_mirror
from support.workspace import ROOT

CONFIG = ROOT / "config"
DATASETS = read_datasets(CONFIG / "datasets.tsv")
LANGUAGES = read_languages(CONFIG / "languages.tsv")
HEADER = "name\tversion\turl\tsha256\tbytes\tlicence\tformat\tnote\n"
ROW = "a.txt\t1\thttps://example.org/a.txt\t-\t-\tCC0-1.0\tlines\t\n"


def test_the_seven_languages_and_their_levels():
    assert list(LANGUAGES)[:8] == ["en", "sw", "so", "tl", "mr", "fi", "de", "fr"]
    assert [LANGUAGES[code]["resource"] for code in ("sw", "so", "tl", "mr")] == ["low"] * 4
    assert [LANGUAGES[code]["resource"] for code in ("fi", "de", "fr")] == ["high"] * 3


@pytest.mark.parametrize(
    "template",
    ["ntrex.{ntrex}.txt", "tico19.en-{tico}.tmx.zip", "hornmt.{hornmt}.txt", "ebible.{ebible}.txt"]
    + ["flores.devtest.{flores}.txt", "tatoeba.eng-{tatoeba}.{tatoeba}.txt", "afriqa.gold.{afriqa}.test.json"],
)
def test_every_code_names_a_data_set(template):
    column = template[template.index("{") + 1 : template.index("}")]
    spoken = [language for language in LANGUAGES.values() if language[column] and language["code"] != "en"]
    assert spoken
    for language in spoken:
        assert fill_codes(template, language) in DATASETS


def test_bitext_of_opus_is_named_by_corpus_version_and_pair():
    rows = [row for row in DATASETS.values() if row.name.startswith("opus.")]
    for row in rows:
        corpus, version, lang = re.fullmatch(r"opus\.(\w+)\.(\w+)\.en-(\w+)\.zip", row.name).groups()
        assert lang in LANGUAGES and version == row.version and row.format == "moses"
        pair = "-".join(sorted(["en", LANGUAGES[lang]["opus"]]))
        assert row.url == f"https://object.pouta.csc.fi/OPUS-{corpus}/{version}/moses/{pair}.txt.zip"
        assert corpus != "JW300", "its licence forbids it"
    assert len(rows) == 4 * 7 - 1, "WikiMatrix has no Somali"


@needs_mirror
def test_every_row_matches_the_mirror():
    for dataset in DATASETS.values():
        if dataset.sha256 == UNKNOWN:
            assert dataset.name.startswith("opus."), "gigabytes that no mirror holds"
            continue
        path = local_source(dataset.url, MIRROR)
        assert (path.stat().st_size, sha256_of(path)) == (int(dataset.bytes), dataset.sha256), dataset.name


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        (HEADER.replace("licence", "license") + ROW, "columns"),
        (HEADER + ROW + ROW, "comes twice"),
        (HEADER + ROW.replace("\t-\t", "\tabc\t", 1), "sha256 'abc'"),
        (HEADER + ROW.replace("a.txt\t", "a/b.txt\t", 1), "name 'a/b.txt'"),
        (HEADER + ROW.replace("https", "gopher"), "url"),
        (HEADER + ROW.replace("CC0-1.0", ""), "licence"),
        (HEADER + "a.txt\t1\n", "line 2 has 2 cells"),
    ],
)
def test_bad_tables_are_refused_in_one_line(tmp_path, text, what):
    path = tmp_path / "datasets.tsv"
    path.write_text(text)
    with pytest.raises(DataError, match=what) as caught:
        read_datasets(path)
    assert "\n" not in str(caught.value)


def test_comments_and_blank_lines_are_skipped(tmp_path):
    path = tmp_path / "datasets.tsv"
    path.write_text("# what this is\n" + HEADER + "\n" + ROW)
    assert list(read_datasets(path)) == ["a.txt"]


def test_a_resource_level_is_low_or_high(tmp_path):
    path = tmp_path / "languages.tsv"
    path.write_text("code\tname\tscript\tresource\nsw\tSwahili\tLatn\tmedium\n")
    with pytest.raises(DataError, match="medium"):
        read_languages(path)


def test_the_config_adds_languages_and_changes_cells():
    extra = {"eu": {"name": "Basque", "script": "Latn", "resource": "low"}, "sw": {"ebible": "swh-other"}}
    languages = read_languages(CONFIG / "languages.tsv", extra)
    assert fill_codes("{lang} {ebible}", languages["sw"]) == "sw swh-other"
    assert languages["eu"] == dict.fromkeys(LANGUAGES["sw"], "") | {"code": "eu"} | extra["eu"]
    with pytest.raises(ConfigError, match="unknown column 'colour'"):
        read_languages(CONFIG / "languages.tsv", {"sw": {"colour": "red"}})
    with pytest.raises(ConfigError, match=r"eu has no script \[language_table\.eu\]. Hint: give its script"):
        read_languages(CONFIG / "languages.tsv", {"eu": {"name": "Basque", "resource": "low"}})
    with pytest.raises(DataError, match=r"eu: unknown script 'Latin' .* did you mean Latn\?"):
        read_languages(CONFIG / "languages.tsv", {"eu": {"name": "Basque", "script": "Latin", "resource": "low"}})


def test_references_are_data_sets_or_paths(tmp_path):
    swahili = LANGUAGES["sw"]
    assert resolve("ntrex.{ntrex}.txt", swahili, DATASETS, "results/data") == "results/data/ntrex.swa.txt"
    assert resolve("mine/{lang}.tsv", swahili, DATASETS, "results/data") == "mine/sw.tsv"
    assert resolve("plain", swahili, DATASETS, "results/data") == "plain"
    assert resolve("-mine/x.tsv", swahili, DATASETS, "results/data") == "./-mine/x.tsv", (
        "no program takes it for an option"
    )
    with pytest.raises(ConfigError, match=r"did you mean .*ntrex\.swa\.txt"):
        resolve("ntrex.swx.txt", swahili, DATASETS, "results/data")
    with pytest.raises(ConfigError, match="fi has no tico code"):
        fill_codes("{tico}", LANGUAGES["fi"])
    with pytest.raises(ConfigError, match="unknown placeholder {klingon}"):
        fill_codes("{klingon}", swahili)
    with pytest.raises(ConfigError, match="did you mean"):
        get_dataset("ntrex.swx.txt", DATASETS)


def test_a_source_carries_its_files_and_licences():
    source = BitextSource(english="ebible.eng-engwebp.txt", foreign="ebible.{ebible}.txt", format="vref", limit=5)
    resolved = resolve_source(source, LANGUAGES["sw"], DATASETS, "d")
    assert files_of(resolved) == {"english": "d/ebible.eng-engwebp.txt", "foreign": "d/ebible.swh-swhulb.txt"}
    assert resolved.licence == "Public domain; CC-BY-SA-4.0"
    assert (resolved.format, resolved.limit) == ("vref", 5)
