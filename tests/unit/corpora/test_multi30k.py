"""Multi30k: captions of the same image, and training pairs without those of the test."""

import pytest

from optical.errors import DataError
from support.corpora import documents_of, rows_of, write_lines
from support.prepared import prepare_collection, prepare_training_set


@pytest.fixture
def multi30k(tmp_path):
    """Write two images with two English captions, one translation each, and two German captions."""
    return {
        "reader": "multi30k",
        "images": write_lines(tmp_path / "images", ["11.jpg", "COCO_22.jpg#3"]),
        "captions": [
            write_lines(tmp_path / "en1", ["A cat sleeps.", "Two men row."]),
            write_lines(tmp_path / "en2", ["A grey cat", "A boat on a lake"]),
        ],
        "queries": {
            "en": write_lines(tmp_path / "en", ["A grey cat", "Two men row"]),
            "fr": write_lines(tmp_path / "fr", ["Un chat gris", "Deux hommes rament"]),
            "de": [write_lines(tmp_path / f"de{k}", [f"Katze {k}", f"Boot {k}"]) for k in (1, 2)],
        },
    }


def test_multi30k_captions_of_the_image_are_relevant(multi30k, tmp_path):
    counts = prepare_collection(multi30k, ["de", "fr"], tmp_path / "out")
    assert counts == {"documents": 4, "split": None, "queries": {"en": 2, "de": 4, "fr": 2}, "relevant": 12}
    qrels = [line.split() for line in (tmp_path / "out/qrels.txt").open()]
    assert {document for query, _, document, _ in qrels if query == "COCO_22-2"} == {"COCO_22-en1", "COCO_22-en2"}
    assert rows_of(tmp_path / "out/queries/de.tsv")[2] == ["11-2", "Katze 2"]


def test_multi30k_can_leave_out_the_caption_that_was_translated(multi30k, tmp_path):
    prepare_collection(multi30k | {"leave_out_source": True}, ["fr"], tmp_path / "out")
    assert [document["text"] for document in documents_of(tmp_path / "out")] == ["A cat sleeps.", "A boat on a lake"]


def test_multi30k_pairs_hold_no_test_image(multi30k, tmp_path):
    block = {key: multi30k[key] for key in ("reader", "captions", "images")}
    test_images = write_lines(tmp_path / "test", ["33.jpg"])
    prepare_training_set(block | {"held_out_images": test_images}, tmp_path / "out")
    assert rows_of(tmp_path / "out/triples.tsv") == [["11", "11-en2"], ["COCO_22", "COCO_22-en2"]]
    with pytest.raises(DataError, match="1 training images are test images"):
        prepare_training_set(block | {"held_out_images": write_lines(tmp_path / "test", ["11.jpg"])}, tmp_path / "out")


def test_multi30k_pairs_hold_no_caption_that_reads_like_one_of_the_test(multi30k, tmp_path):
    block = {key: multi30k[key] for key in ("reader", "captions", "images")}
    held_out = write_lines(tmp_path / "test", ["two men ROW"])
    prepare_training_set(block | {"held_out": [held_out]}, tmp_path / "out")
    assert rows_of(tmp_path / "out/queries.tsv") == [["11", "A cat sleeps."]]
    assert rows_of(tmp_path / "out/triples.tsv") == [["11", "11-en2"]]


def test_multi30k_files_must_have_a_line_an_image(multi30k, tmp_path):
    write_lines(tmp_path / "en2", ["A grey cat"])
    with pytest.raises(DataError, match="1 captions for 2 images"):
        prepare_collection(multi30k, ["fr"], tmp_path / "out")
