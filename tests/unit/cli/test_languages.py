"""`optical languages`: what the config has for each language."""

import json

from optical.config.project import project_folder


def test_languages_lists_the_config_and_the_whole_table(optical):
    code, output, _ = optical("languages")
    assert code == 0 and output.split("\n")[0].split() == [
        "code",
        "name",
        "script",
        "resource",
        "bitext",
        "collections",
        "students",
    ]
    assert "Swahili" in output and "Zulu" not in output
    every = [json.loads(line) for line in optical("languages", "--all", "--json")[1].splitlines()]
    by_code = {row["code"]: row for row in every}
    assert by_code["zu"]["name"] == "Zulu" and by_code["zu"]["bitext"] == []
    assert by_code["sw"]["collections"] == ["atlas"] and by_code["sw"]["bitext"] == ["atlas"]


def test_languages_reads_a_config_laid_over_the_default(optical):
    rows = optical("languages", "--config", project_folder() / "config/subwords.yaml", "--json")[1].splitlines()
    by_code = {row["code"]: row for row in map(json.loads, rows)}
    assert by_code["sw"]["collections"] == ["flores", "afriqa"]
    assert by_code["fi"]["collections"] == ["flores"]


def test_languages_knows_where_there_are_english_queries(optical, tmp_path, monkeypatch):
    block = {"reader": "plain", "documents": "d.tsv", "queries": "queries.{lang}.tsv", "qrels": "qrels.txt"}
    by_language = block | {"queries": {"sw": "queries.sw.tsv"}}
    catalogue = {"reader": "ir_datasets", "id": "clirmatrix/en/bi139-base/{lang}/dev"}
    tables = {"mine": block, "named": by_language, "catalogue": catalogue}
    (tmp_path / "mine.yaml").write_text(json.dumps({"collections": ["atlas", *tables], "collection_table": tables}))
    (tmp_path / "config").symlink_to(project_folder() / "config")
    monkeypatch.chdir(tmp_path)

    def english():
        return json.loads(optical("languages", "--config", "mine.yaml", "--json")[1].splitlines()[0])["collections"]

    assert english() == ["atlas"]
    (tmp_path / "queries.en.tsv").touch()
    assert english() == ["atlas", "mine"]
