"""Threads that work side by side: the same results, in order, and failures that are seen."""

import itertools
import threading

import pytest
import torch

from optical.models.encoder import DOCUMENT
from optical.models.folders import load_encoder
from optical.runtime.threads import in_parallel, results_in_order
from support.tiny_models import save_encoder


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_an_encoder_gives_the_same_vectors_with_any_number_of_threads(tmp_path, three_threads):
    save_encoder(tmp_path)
    encoder = load_encoder(tmp_path)
    texts = [[10 + (length * step) % 20 for step in range(length)] for length in range(1, 30)]

    def encoded():
        return [(index, vectors.tolist()) for index, vectors, _ in encoder.encode(texts, DOCUMENT, batch_tokens=64)]

    several = encoded()
    assert torch.get_num_threads() == 3, "set as before"
    torch.set_num_threads(1)
    assert encoded() == several


def test_items_are_worked_on_at_the_same_time_each_with_its_share_of_the_threads(three_threads):
    together = threading.Barrier(3, timeout=20)

    def call(item):
        together.wait()
        return item, torch.get_num_threads(), torch.is_grad_enabled()

    assert list(results_in_order(call, range(6), 3)) == [(item, 1, False) for item in range(6)]


def test_results_wait_until_they_are_taken():
    begun = []
    results = results_in_order(begun.append, range(100), 2)
    next(results)
    results.close()
    assert len(begun) <= 4


def test_the_first_failure_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(results_in_order(lambda number: 1 / number, [1, 0, 2], 2))


def test_where_one_fails_the_others_are_given_no_more():
    begun = threading.Barrier(2, timeout=20)
    taken = []

    def work(items):
        for item in items:
            taken.append(item)
            if len(taken) <= 2:
                begun.wait()
            if item == 0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, iter(range(10**9)), workers=2)
    assert len(taken) < 10**6


def test_an_interrupted_caller_ends_the_work(monkeypatch):
    begun = threading.Event()

    def work(items):
        for _ in items:
            begun.set()

    def interrupted(future):
        begun.wait(20)
        raise KeyboardInterrupt

    monkeypatch.setattr("concurrent.futures.Future.result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_parallel(work, itertools.count(), workers=2)
