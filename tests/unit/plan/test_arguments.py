"""A program reads from the file of arguments what the plan wrote into it, whatever signs it holds."""

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optical.config.transport import TransportSettings
from optical.plan.arguments import argument_file, command_words
from optical.program import program, yaml_value

AWKWARD = [
    "my data/a b.txt",
    "@home.txt",
    "Kiswahili — naïve ẞ",
    '"quoted"',
    "'",
    "$HOME",
    "a\u2028b",
    "two\nlines",
    "\t",
    "",
]
# argparse takes what begins with a dash for an option, in a file as on the command line
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = TEXTS.filter(lambda text: not text.startswith("-"))
TITLES = TEXTS.filter(lambda text: text != "--")  # which argparse of Python 3.11 drops, wherever it stands


def parsed(words: list[str]) -> argparse.Namespace:
    """Return what a program with these options reads."""
    parser = program("test")
    parser.add_argument("--names", nargs="+")
    parser.add_argument("--title")
    parser.add_argument("--jobs", type=yaml_value)
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args(words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("arguments")


@pytest.mark.parametrize("value", AWKWARD)
def test_a_value_survives_alone_in_a_list_and_in_json(folder, value):
    read = parsed([argument_file({"title": value, "names": [value, "other"], "jobs": {"key": value}}, folder)])
    assert (read.title, read.names, read.jobs) == (value, [value, "other"], {"key": value})


@given(names=st.lists(VALUES, min_size=1), title=TITLES)
def test_any_text_survives(folder, names, title):
    read = parsed([argument_file({"names": names, "title": title}, folder)])
    assert (read.names, read.title) == (names, title)


def test_the_same_arguments_are_the_same_file_and_others_another(folder):
    first = argument_file({"names": ["a", "b"], "title": "x"}, folder)
    assert argument_file({"names": ["a", "b"], "title": "x"}, folder) == first
    others = [{"names": ["a"], "title": "x"}, {"names": ["ab"], "title": "x"}, {"names": ["a", "b"]}, {}]
    assert len({first, *(argument_file(options, folder) for options in others)}) == 5


def test_a_file_that_is_there_is_not_written_again(tmp_path):
    path = tmp_path / argument_file({"title": "x"}, tmp_path).rpartition("/")[2]
    before = path.stat().st_mtime_ns
    argument_file({"title": "x"}, tmp_path)
    assert path.stat().st_mtime_ns == before


def test_settings_maps_and_lists_of_jobs_are_json(folder):
    transport = TransportSettings(regularisation=0.07)
    read = parsed([argument_file({"jobs": [{"transport": transport}, {"seed": 1}]}, folder)]).jobs
    assert read[1] == {"seed": 1}
    assert TransportSettings.read(read[0]["transport"]) == transport


def test_a_path_stands_in_the_command_several_and_options_in_the_file(folder):
    words = command_words({"title": "my data/a", "names": ["b", "c"], "jobs": []}, {"jobs": {"seed": 1}}, folder)
    assert words[1:] == ["--title", "my data/a"]
    read = parsed(words)
    assert (read.title, read.names, read.jobs) == ("my data/a", ["b", "c"], {"seed": 1})


def test_a_command_without_options_has_no_file(folder):
    assert command_words({"names": ["a"], "jobs": []}, {}, folder) == ["--names", "a"]


def test_a_switch_is_there_or_not(folder):
    for switch in (True, False):
        assert parsed([argument_file({"quick": switch}, folder)]).quick is switch


def test_what_is_not_given_is_left_out(folder):
    read = parsed([argument_file({"names": [], "title": None, "jobs": {}}, folder), "--title", "on the line"])
    assert (read.names, read.title, read.jobs) == (None, "on the line", {})
    assert parsed([argument_file({"names": []}, folder)]).names is None


def test_a_file_that_is_not_there_ends_in_one_line(folder, capsys):
    with pytest.raises(SystemExit):
        parsed([f"@{folder}/nowhere.txt"])
    assert f"cannot read {folder}/nowhere.txt: No such file or directory" in capsys.readouterr().err
