"""Progress says how far a job is."""

import pytest

from optical.runtime import progress as module
from optical.runtime.progress import Progress, with_progress


def test_progress_of_a_stream_says_how_much_is_done_now_and_then(caplog, monkeypatch):
    caplog.set_level("INFO")
    seconds = iter(range(0, 1000, 10))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(seconds)))
    assert list(with_progress("abcd", "reading")) == list("abcd")
    assert [record.message for record in caplog.records] == ["reading: 2", "reading: 4", "reading: 4 done in 70.0 s"]


def test_progress_counts_from_where_it_went_on(caplog):
    caplog.set_level("INFO")
    with Progress("training", total=10, done=7) as progress:
        progress.advance(3, loss=0.25)
    assert progress.done == 10
    assert "training: 10 done" in caplog.text
    assert "loss 0.25" in caplog.text
    caplog.clear()
    with pytest.raises(RuntimeError), Progress("training", total=10):
        raise RuntimeError
    assert "done" not in caplog.text
