"""Tables whose first row names the columns, as spreadsheets and other collections have them."""

import json

import pytest

from optical.corpora.files import read_documents, read_queries
from optical.errors import DataError


def test_tables_of_spreadsheets_and_files_of_beir_are_read_alike(tmp_path):
    documents = [{"id": "d1", "text": "The harbour of Mombasa"}, {"id": "d2", "text": "Coffee grows in Moshi"}]
    rows = [(row["id"], row["text"]) for row in documents]
    files = {
        "excel.csv": "\ufeffTitle;ID;Text\r\n" + "".join(f';{key};"{text}"\r\n' for key, text in rows) + ";;\r\n",
        "header.tsv": "doc_id\ttext\n" + "".join(f"{key}\t{text}\n" for key, text in rows),
        "beir.jsonl": "".join(json.dumps({"_id": key, "text": text, "metadata": {}}) + "\n" for key, text in rows),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, newline="")
        assert list(read_documents(tmp_path / name)) == documents, name


@pytest.mark.parametrize(
    "content", ["query_id,text\n1,wapi\n2,lini\n", "id\ttext\n1\twapi\n2\tlini\n", "\n\npid\tx\n1\twapi\n2\tlini\n"]
)
def test_queries_may_have_a_header(tmp_path, content):
    path = tmp_path / ("q.csv" if "," in content else "q.tsv")
    path.write_text(content)
    assert list(read_queries(path)) == [("1", "wapi"), ("2", "lini")]


def test_a_cell_of_csv_may_have_line_breaks_and_metadata(tmp_path):
    (tmp_path / "docs.csv").write_text('id,text,source,date\n1,"two\r\nlines, ""quoted""",news,\n2,x,,2024\n')
    assert list(read_documents(tmp_path / "docs.csv", metadata=True)) == [
        {"id": "1", "text": 'two\r\nlines, "quoted"', "source": "news"},
        {"id": "2", "text": "x", "date": "2024"},
    ]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "d.csv",
            "id,body\n1,x\n",
            r"not one column text: the first row is id, body .*d\.csv\]. Hint: name the columns",
        ),
        ("d.csv", "", "not one column id: the first row is empty"),
        ("d.csv", "id,qid,text\n1,2,x\n", "not one column id"),
        ("d.csv", "id,text\n1,x,y\n", "row 2 has 3 cells, the first one 2"),
        ("d.csv", "id,text\n", "the file holds no documents"),
        ("d.txt", "a line without an id\n", r"line 1 has 1 tab-separated columns.*awk '\{print NR"),
        ("d.jsonl", '{"doc_id": 1, "headline": "x", "body": "longer"}', r"jq -c '\{id: \.doc_id, text: \.body\}'"),
    ],
)
def test_what_a_table_lacks_is_said_with_a_way_to_mend_it(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        list(read_documents(tmp_path / name))
