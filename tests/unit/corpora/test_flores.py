"""FLORES articles: parts that no article straddles, and no query in a document."""

import pytest

from optical.errors import DataError
from support.corpora import documents_of, rows_of, write_lines
from support.prepared import prepare_collection


@pytest.fixture
def flores(tmp_path):
    """Write sixty articles of one to five sentences."""
    lengths = [1 + k % 5 for k in range(60)]
    urls = [f"https://example.org/{k}" for k, length in enumerate(lengths) for _ in range(length)]
    sentences = {
        lang: write_lines(tmp_path / f"{lang}.txt", [f"{lang} sentence {n}" for n in range(len(urls))])
        for lang in ("en", "fi")
    }
    metadata = write_lines(tmp_path / "metadata.tsv", ["URL\tdomain", *(f"{url}\twikinews" for url in urls)])
    return {"reader": "flores_articles", "sentences": sentences, "metadata": metadata}


def test_flores_parts_split_the_articles_and_no_query_is_in_a_document(flores, tmp_path):
    queries = {}
    for part in ("dev", "test", "all"):
        prepare_collection(flores | {"part": part}, ["fi"], tmp_path / part)
        queries[part] = rows_of(tmp_path / part / "queries/fi.tsv")
    assert (tmp_path / "dev/documents.jsonl").read_bytes() == (tmp_path / "test/documents.jsonl").read_bytes()
    assert not {q for q, _ in queries["dev"]} & {q for q, _ in queries["test"]}
    assert sorted(queries["all"]) == sorted(queries["dev"] + queries["test"])
    # articles of 2, 3, 4 and 5 sentences give 1, 2, 2 and 3 queries, twelve articles of each
    assert len(queries["dev"]) + len(queries["test"]) == 12 * (1 + 2 + 2 + 3)
    assert min(len(rows) for rows in queries.values()) > 20
    words = " ".join(document["text"] for document in documents_of(tmp_path / "dev")).split()
    in_documents = {int(word) for word in words if word.isdigit()}
    in_queries = {int(text.split()[-1]) for rows in queries.values() for _, text in rows}
    assert not in_documents & in_queries
    assert len(in_documents | in_queries) == 180
    assert queries["dev"][0][1].startswith("fi sentence")


def test_each_language_of_the_passages_has_its_articles_with_ids_of_their_own(flores, tmp_path):
    several = {"passage_languages": ["en", "fi"], "part": "all"}
    prepare_collection(flores | several, ["fi"], tmp_path / "both")
    for lang in ("en", "fi"):
        prepare_collection(flores | several | {"passage_languages": [lang]}, ["fi"], tmp_path / lang)
    of_language = {"en": [], "fi": []}
    for document in documents_of(tmp_path / "both"):
        of_language[document.pop("language")].append(document)
    assert {lang: documents_of(tmp_path / lang) for lang in of_language} == of_language
    assert of_language["fi"][3] == {"id": "a3-fi", "text": "fi sentence 6 fi sentence 7"}
    qrels = {lang: (tmp_path / lang / "qrels.txt").read_text().splitlines() for lang in ("en", "fi", "both")}
    assert sorted(qrels["both"]) == sorted(qrels["en"] + qrels["fi"])
    assert "s8 0 a3-fi 1" in qrels["fi"]


def test_flores_parts_depend_on_the_seed_and_files_must_match(flores, tmp_path):
    prepare_collection(flores, ["fi"], tmp_path / "zero")
    prepare_collection(flores | {"seed": 1}, ["fi"], tmp_path / "one")
    assert (tmp_path / "zero/qrels.txt").read_text() != (tmp_path / "one/qrels.txt").read_text()
    with open(flores["sentences"]["fi"], "a") as file:
        file.write("one more\n")
    with pytest.raises(DataError, match="181 sentences in fi, but 180 rows of metadata"):
        prepare_collection(flores, ["fi"], tmp_path / "out")
