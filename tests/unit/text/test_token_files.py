"""Token files give back what went in, from the disk; batches are a pure function, waste little and miss nothing."""

import mmap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optical.errors import DataError
from optical.text.token_files import TokenFile, write_token_file
from optical.text.tokeniser import load_tokeniser, save_tokeniser, train_tokeniser
from support.tiny_models import TEXTS

FEW = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a small tokeniser."""
    folder = tmp_path_factory.mktemp("tokeniser")
    save_tokeniser(train_tokeniser(TEXTS * 4, vocabulary_size=300), folder, longest=32)
    return folder


TEXT_LISTS = st.lists(st.lists(st.sampled_from(" ".join(TEXTS).split() + ["☃"]), max_size=9).map(" ".join), max_size=12)


@FEW
@given(texts=TEXT_LISTS)
def test_a_token_file_holds_what_the_tokeniser_says(folder, tmp_path_factory, texts):
    out = tmp_path_factory.mktemp("tokens") / "file"
    assert write_token_file(out, folder, iter(texts)) == len(texts)
    file = TokenFile(out)
    tokeniser = load_tokeniser(folder)
    expected = [tokeniser.encode(text, add_special_tokens=False).ids for text in texts]
    assert [ids.tolist() for ids in file] == expected
    assert file.lengths.tolist() == [len(ids) for ids in expected]
    counts = {"texts": len(texts), "tokens": sum(map(len, expected)), "subwords": len(set().union(*expected))}
    assert file.meta == counts


def test_writing_keeps_a_chunk_of_texts_at_a_time(folder, tmp_path):
    class Text(str):
        alive = most = 0

        def __init__(self, _):
            Text.alive += 1
            Text.most = max(Text.most, Text.alive)

        def __del__(self):
            Text.alive -= 1

    assert write_token_file(tmp_path / "file", folder, (Text("the moon") for _ in range(20_000))) == 20_000
    assert Text.most <= 4096 + 1


def test_reading_maps_the_file(folder, tmp_path):
    write_token_file(tmp_path / "file", folder, TEXTS)
    file = TokenFile(tmp_path / "file")
    assert isinstance(file.tokens.base, (np.memmap, mmap.mmap))
    with pytest.raises(ValueError, match="read-only"):
        file[0][0] = 1


def test_a_truncated_file_is_refused(folder, tmp_path):
    write_token_file(tmp_path / "file", folder, TEXTS)
    tokens = tmp_path / "file" / "tokens.int32"
    tokens.write_bytes(tokens.read_bytes()[:-8])
    with pytest.raises(DataError, match="were written"):
        TokenFile(tmp_path / "file")


@pytest.mark.parametrize("opened", [TokenFile, load_tokeniser])
def test_a_missing_folder_is_named(tmp_path, opened):
    with pytest.raises(DataError, match="nowhere"):
        opened(tmp_path / "nowhere")


def test_rarity_counts_texts_not_tokens(folder, tmp_path):
    texts = ["moon moon moon", "sun moon", "sun", "☃"]
    write_token_file(tmp_path / "file", folder, texts)
    tokeniser = load_tokeniser(folder)
    rarity = TokenFile(tmp_path / "file").inverse_document_frequency(tokeniser.get_vocab_size())
    assert rarity.dtype == np.float32
    assert rarity.shape == (tokeniser.get_vocab_size(),)
    for token, texts_with_it in (("moon", 2), ("sun", 2), ("[UNK]", 1), ("river", 0)):
        assert rarity[tokeniser.token_to_id(token)] == pytest.approx(np.log(5 / (texts_with_it + 1)), abs=1e-6)
    framing = tokeniser.token_to_id("[CLS]")
    framed = TokenFile(tmp_path / "file").inverse_document_frequency(tokeniser.get_vocab_size(), [framing])
    assert rarity[framing] > 1 and framed[framing] == 0
    np.testing.assert_array_equal(np.delete(framed, framing), np.delete(rarity, framing))
