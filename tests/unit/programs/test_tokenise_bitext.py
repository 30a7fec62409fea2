"""tokenise_bitext.py says so where the encoder's vocabulary lacks the words of a side."""

import logging
from argparse import Namespace

import tokenise_bitext
from optical.files import write_rows
from optical.text.token_files import TokenFile
from optical.text.tokeniser import save_tokeniser, train_tokeniser


def test_a_side_of_unknown_words_is_named(tmp_path, caplog):
    save_tokeniser(train_tokeniser(["the moon", "the river"] * 4, vocabulary_size=60), tmp_path, longest=32)
    write_rows(tmp_path / "bitext.tsv", [("the moon", "ᱪᱟᱸᱫᱚ moon"), ("the river", "ᱜᱟᱰᱟ")])
    asked = Namespace(tokeniser=tmp_path, foreign_tokeniser=None, bitext=tmp_path / "bitext.tsv", out=tmp_path / "out")
    with caplog.at_level(logging.WARNING, logger="optical"):
        tokenise_bitext.main(asked)
    (message,) = caplog.messages
    assert message.startswith("67 % of the foreign tokens are unknown") and "encoder.source: train" in message
    assert TokenFile(tmp_path / "out/english").share_of(1) == 0.0
