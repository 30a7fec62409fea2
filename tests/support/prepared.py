"""Collections and training sets made from blocks as YAML has them."""

from optical.config.collections import read_collection
from optical.config.training_sets import read_training_set
from optical.corpora import readers
from optical.files import write_jsonl, write_lines


def prepare_collection(block, languages, folder, tokeniser=None):
    """Write a collection of the reader that its block names; return its counts."""
    return readers.prepare_collection(read_collection(block), languages, folder, tokeniser)


def prepare_training_set(block, folder):
    """Write a training set of the reader that its block names; return its counts."""
    return readers.prepare_training_set(read_training_set(block), folder)


def write_beir(folder):
    """Write a small collection in BEIR's layout: a document without a title, a query of another split, three grades."""
    documents = [
        {"_id": "1", "title": "River", "text": "the river is in the north", "metadata": {}},
        {"_id": "2", "title": "", "text": "the first question about the moon"},
        {"_id": "3", "title": "Sun", "text": ""},
        {"_id": "4", "title": None, "text": "swali la kwanza"},
    ]
    queries = [{"_id": "q1", "text": "where is the river?", "metadata": {}}, {"_id": "q2", "text": "moon and sun"}]
    write_jsonl(folder / "corpus.jsonl", documents)
    write_jsonl(folder / "queries.jsonl", [*queries, {"_id": "q3", "text": "a query to train with"}])
    rows = ["query-id\tcorpus-id\tscore", "q1\t1\t2", "q2\t2\t1", "q2\t3\t1", "q2\t4\t0"]
    write_lines(folder / "qrels/test.tsv", rows)
    return folder
