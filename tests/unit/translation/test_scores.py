"""Scores of translations, without torch."""

import subprocess
import sys

import pytest

from optical.files import read_rows
from optical.translation.scores import COLUMNS, score_translations, write_translation_scores
from support.programs import ROOT


def test_scores_ignore_case_and_keep_their_signatures(tmp_path):
    perfect = score_translations(["The Moon rises.", "A red house"], ["the moon rises.", "a red HOUSE"])
    assert perfect.bleu == pytest.approx(100) and perfect.chrf == pytest.approx(100)
    poor = score_translations(["The Moon rises.", "A red house"], ["", "a blue tree"])
    assert poor.bleu < 20 and poor.chrf < 40 and poor.sentences == 2
    assert write_translation_scores(tmp_path / "scores.tsv", [("sw", "nmt", poor)]) == 1
    header, row = read_rows(tmp_path / "scores.tsv", 7)
    assert tuple(header) == COLUMNS and row[:2] == ["sw", "nmt"] and row[4] == "2"
    assert "case:lc" in row[5] and "version:" in row[6]


def test_scoring_needs_no_torch():
    code = "import sys; sys.path.insert(0, 'workflow/scripts'); import optical.translation.scores as s; "
    code += "s.score_translations(['a b c'], ['a b c']); print('torch' in sys.modules, 'transformers' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "False"], done.stderr
