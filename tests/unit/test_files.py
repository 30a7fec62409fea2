"""Reading is strict, writing is all or nothing, and bytes do not depend on the day."""

import gzip
import json
import os
import string
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optical import files
from optical.corpora.named_columns import read_csv
from optical.errors import DataError
from optical.files import (
    BUFFER_BYTES,
    atomic_folder,
    atomic_path,
    open_bytes,
    open_text,
    read_json,
    read_jsonl,
    read_lines,
    read_rows,
    sha256_of,
    write_json,
    write_jsonl,
    write_lines,
    write_rows,
)

# any text that a line can hold, with the characters that split lines elsewhere
LINES = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\ufeff"), max_size=8))


@settings(max_examples=40, deadline=None)
@given(lines=LINES, suffix=st.sampled_from(["txt", "txt.gz"]))
def test_lines_come_back_as_they_were_written(tmp_path_factory, lines, suffix):
    path = tmp_path_factory.mktemp("lines") / f"file.{suffix}"
    assert write_lines(path, lines) == len(lines)
    assert list(read_lines(path)) == lines


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_a_separator_within_a_sentence_does_not_shift_a_bitext(tmp_path, separator):
    (tmp_path / "file").write_text(f"one{separator}still one\ntwo\n", encoding="utf-8", newline="")
    assert list(read_lines(tmp_path / "file")) == [f"one{separator}still one", "two"]


def test_windows_line_ends_and_byte_order_marks_are_not_text(tmp_path):
    (tmp_path / "file").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n\r\nfour")
    assert list(read_lines(tmp_path / "file")) == ["one", "two", "", "four"]
    with open_text(tmp_path / "file") as file:
        assert file.read(3) == "one"


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.tuples(st.text(string.ascii_letters, min_size=1), st.text("a \t\n\r\u2028b", max_size=6))))
def test_white_space_in_a_cell_never_makes_another_cell_or_row(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "table.tsv"
    write_rows(path, rows)
    assert list(read_rows(path, 2)) == [[name, " ".join(text.split())] for name, text in rows]


def test_objects_and_their_marks_come_back(tmp_path):
    rows = [{"id": "1", "text": "चंद्र\u2028x"}, {"id": "2", "text": 'a "b"\n \\ud83d'}]
    write_jsonl(tmp_path / "file.jsonl.gz", rows)
    assert list(read_jsonl(tmp_path / "file.jsonl.gz")) == rows
    write_json(tmp_path / "file.json", {"b": 1, "a": "ç"})
    assert read_json(tmp_path / "file.json") == {"a": "ç", "b": 1}
    assert (tmp_path / "file.json").read_text(encoding="utf-8").index('"a"') < 5


def test_compressed_files_are_the_same_bytes_at_any_time_under_any_name(tmp_path, monkeypatch):
    write_lines(tmp_path / "one.gz", ["text"] * 9)
    monkeypatch.setattr("time.time", lambda: 2e9)
    write_lines(tmp_path / "another.gz", ["text"] * 9)
    assert sha256_of(tmp_path / "one.gz") == sha256_of(tmp_path / "another.gz")


WHOLE = gzip.compress(b"a\n" * 5000)
FLIPPED = WHOLE[:10] + b"\xff" + WHOLE[11:]  # the type of the first block is none that there is
HALF = rb'{"id": "\ud83d\ude00"}' + b"\n" + rb'{"id": ["\uD83D"]}'  # of a face

FAULTY = [
    (read_lines, "missing.txt", None, "no such file", "path"),
    (read_lines, "latin.txt", "déjà vu".encode("latin-1"), "not UTF-8", "iconv"),
    (read_lines, "cut.gz", WHOLE[:40], "damaged gzip", "again"),
    (read_lines, "flipped.gz", FLIPPED, "damaged gzip", "again"),
    (read_lines, "empty.gz", b"", "damaged gzip", "again"),
    (read_lines, "second.gz", WHOLE + WHOLE[:40], "damaged gzip", "again"),
    (read_lines, "plain.gz", b"no gzip at all", "not compressed with gzip, as .gz says", "rename"),
    (read_lines, "hidden.txt", WHOLE, "compressed with gzip, but not named .gz", "hidden.txt.gz"),
    (read_lines, "zipped.txt", b"PK\x03\x04", "compressed with zip", "unpack"),
    (read_lines, "xz.gz", b"\xfd7zXZ\x00", "not compressed with gzip", "rename"),
    (lambda path: read_rows(path, 2), "spaces.tsv", b"q1\tone\nq2 two\n", "line 2 has 1 tab-separated", "tabs"),
    (read_jsonl, "broken.jsonl", b'{"id": "1"}\n{"id": \n', "line 2 is not JSON", "one object a line"),
    (read_jsonl, "half.jsonl", HALF, r"line 2 holds half of a character, '\\ud83d'", "other half"),
    (read_jsonl, "deep.jsonl", b"1\n" + b"[" * 99_999, "line 2 is nested too deeply", "right file"),
    (read_jsonl, "long.jsonl", b'{"id": ' + b"7" * 5000 + b"}", "line 1 holds a number of too many digits", "quotes"),
    (read_json, "broken.json", b"{\n\n,}", "not JSON", ""),
    (read_json, "deep.json", b'{"a":' * 99_999, "the file is nested too deeply", "right file"),
    (read_json, "half.json", rb'{"a": "\udc00"}', "the file holds half of a character", "other half"),
    (partial(read_csv, strict=True), "quoted.csv", b'a,b\nc,"d\ne,f\n', "line 3 is not CSV: unexpected end", "tsv"),
    (partial(read_csv, strict=True), "more.csv", b'a,"b" c\n', "line 1 is not CSV: ',' expected", "twice"),
]


@pytest.mark.parametrize(("read", "name", "content", "what", "hint"), FAULTY, ids=[case[1] for case in FAULTY])
def test_a_faulty_file_is_named_with_what_is_wrong_and_how_to_mend_it(tmp_path, read, name, content, what, hint):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=what) as caught:
        list(read(tmp_path / name))
    assert name in str(caught.value)
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value)


def test_bytes_behind_a_compressed_file_are_ignored_and_several_members_are_one_file(tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"one\n") + gzip.compress(b"two\n") + b"\r\nrubbish")
    assert list(read_lines(tmp_path / "a.txt.gz")) == ["one", "two"]
    (tmp_path / "B.TXT.GZ").write_bytes(gzip.compress(b"one"))
    assert list(read_lines(tmp_path / "B.TXT.GZ")) == ["one"]


def test_a_file_of_many_members_is_read_without_keeping_it(tmp_path):
    member = gzip.compress(os.urandom(1000))
    (tmp_path / "many.gz").write_bytes(member * 500)
    most = 0
    with open_bytes(tmp_path / "many.gz") as file:
        while file.read(1000):
            most = max(most, len(file.raw.stream.rest))
    assert most <= 2 * BUFFER_BYTES


def test_a_cell_of_csv_may_hold_a_long_document(tmp_path):
    (tmp_path / "long.csv").write_text(f'1,"{"x " * 200_000}"\n')
    assert [len(row[1]) for row in read_csv(tmp_path / "long.csv", strict=True)] == [400_000]


def test_a_disk_that_fails_is_one_line_and_a_fault_of_the_reader_is_not_blamed_on_it(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("one\n")
    with pytest.raises(OSError, match="elsewhere"), open_text(tmp_path / "file"):
        raise OSError("elsewhere")

    def failing(self, *_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", failing)
    with pytest.raises(DataError, match=r"cannot read: Input/output error \[.*file\]"):
        list(read_lines(tmp_path / "file"))


def test_a_folder_in_place_of_a_file_is_named(tmp_path):
    with pytest.raises(DataError, match="a folder, not a file"):
        list(read_lines(tmp_path))


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("before", [None, "old"])
def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, before):
    file, folder = tmp_path / "file.txt", tmp_path / "folder"
    if before:
        file.write_text(before)
        folder.mkdir()
        (folder / "inside").write_text(before)

    def failing():
        yield "half"
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        write_lines(file, failing())
    with pytest.raises(RuntimeError), atomic_folder(folder) as temporary:
        (temporary / "inside").write_text("half")
        raise RuntimeError
    assert left_in(tmp_path) == (["file.txt", "folder"] if before else [])
    if before:
        assert file.read_text() == (folder / "inside").read_text() == "old"


def test_a_new_folder_replaces_the_old_one_as_a_whole(tmp_path):
    for name in ("first", "second"):
        with atomic_folder(tmp_path / "deep" / "folder") as temporary:
            (temporary / name).write_text(name)
    assert left_in(tmp_path / "deep" / "folder") == [".checksums.json", "second"]
    assert left_in(tmp_path / "deep") == ["folder"]


def test_others_may_read_what_was_written(tmp_path):
    with atomic_path(tmp_path / "file") as temporary:
        temporary.write_text("text")
    with atomic_folder(tmp_path / "folder"):
        pass
    plain_file, plain_folder = tmp_path / "plain", tmp_path / "plain_folder"
    plain_file.write_text("")
    plain_folder.mkdir()
    assert (tmp_path / "file").stat().st_mode == plain_file.stat().st_mode
    assert (tmp_path / "folder").stat().st_mode == plain_folder.stat().st_mode


def test_reading_holds_one_line_at_a_time(tmp_path):
    with gzip.open(tmp_path / "whole.gz", "wt") as file:
        file.writelines(json.dumps({"id": number}) + "\n" for number in range(50_000))
    # who reads all before the first line does not get that far
    (tmp_path / "cut.gz").write_bytes((tmp_path / "whole.gz").read_bytes()[:-1000])
    with open_text(tmp_path / "cut.gz") as file:
        assert file.readline() == '{"id": 0}\n'
    stream = read_jsonl(tmp_path / "cut.gz")
    assert [next(stream)["id"] for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError):
        list(stream)


def test_a_gzip_file_that_unpacks_to_far_more_than_text_would_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LARGEST_UNPACKED", 1000)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"a" * 10**6))
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"".join(b"line %d\n" % number for number in range(999))))
    assert len(list(read_lines(tmp_path / "text.gz"))) == 999
    with pytest.raises(DataError, match="cannot read: it unpacks to more than 200 times its size"):
        list(read_lines(tmp_path / "bomb.gz"))
