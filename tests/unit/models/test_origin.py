"""Which model reads the queries of a language, where a method is named and where none is."""

import os

import pytest

from optical.config.names import MULTILINGUAL
from optical.errors import DataError
from optical.models.origin import method_there, query_model, student_in


def make_students(results, lang, *methods):
    for method in methods:
        folder = results / "students" / lang / method / "1"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")


def test_the_only_method_with_students_is_meant_where_none_is_named(tmp_path):
    make_students(tmp_path, "zu", "token-contrast")
    make_students(tmp_path, "sw", "mse", "optical")
    make_students(tmp_path, "so", "mse", "greedy")
    assert query_model(tmp_path, "zu") == tmp_path / "students/zu/token-contrast/1"
    assert query_model(tmp_path, "sw") == tmp_path / "students/sw/optical/1"
    assert query_model(tmp_path, "sw", "mse") == tmp_path / "students/sw/mse/1"
    assert method_there(tmp_path) == "optical", "there are several"
    with pytest.raises(DataError, match="of so there are .method, seed.: greedy 1, mse 1"):
        query_model(tmp_path, "so")


def test_a_student_of_all_languages_reads_each_of_them(tmp_path):
    make_students(tmp_path, MULTILINGUAL, "all")
    make_students(tmp_path, "sw", "mse")
    assert query_model(tmp_path, "so") == query_model(tmp_path, "fi") == tmp_path / "students/mul/all/1"
    assert query_model(tmp_path, "sw", "mse") == tmp_path / "students/sw/mse/1"
    assert student_in(tmp_path, "sw", "all", 1) == tmp_path / "students/mul/all/1"
    assert student_in(tmp_path, "so", "mse", 1) == tmp_path / "students/so/mse/1", "where it would be"
    with pytest.raises(DataError, match=r"of sw there are .method, seed.: all 1, mse 1"):
        query_model(tmp_path, "sw", "greedy")


@pytest.mark.parametrize("last", ["sw", MULTILINGUAL])
def test_of_a_student_of_the_language_and_one_of_all_the_last_one_reads(tmp_path, last):
    for lang in ("sw", MULTILINGUAL):
        make_students(tmp_path, lang, "all")
        made = tmp_path / "students" / lang / "all/1/config.json"
        os.utime(made, (2, 2) if lang == last else (1, 1))
    assert student_in(tmp_path, "sw", "all", 1) == tmp_path / "students" / last / "all/1"
