"""Passages cover every word and overlap as asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optical.config.collections import Split
from optical.corpora.passages import split_documents, split_text, word_spans
from optical.errors import ConfigError


@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_passages_cover_every_word_and_overlap(words, length, data):
    stride = data.draw(st.integers(1, length))
    text = " ".join(f"w{k}" for k in range(words))
    passages = [passage.split() for passage in split_text(text, length, stride, word_spans)]
    assert all(len(passage) == length for passage in passages[:-1])
    assert [word for passage in passages[:-1] for word in passage[:stride]] + passages[-1] == text.split()


def test_passages_by_tokens_of_a_tokeniser(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    model = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    model.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    model.save(str(tmp_path / "tokenizer.json"))
    document = {"id": "d", "text": "it's raining, again", "title": "Rain"}
    passages = list(split_documents([document], Split(length=4, stride=2, unit="tokens"), tmp_path))
    assert [p["text"] for p in passages] == ["it's raining", "s raining, again"]
    assert {p["title"] for p in passages} == {"Rain"}
    with pytest.raises(ConfigError, match="would lose text"):
        list(split_documents([document], Split(length=4, stride=5)))
