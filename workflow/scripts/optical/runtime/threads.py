"""Threads that each use one core.

On a machine with other work to do, several threads at one operation wait for one another at its end, and at the end of
the next: two cores at a product of their own do a fifth more than two cores at one product after the other.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def workers_on(device: torch.device) -> int:
    """Return how many threads to work with: one for each of this process's cores, or one for an accelerator."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def in_parallel(work: Callable[[Iterator[Item]], None], items: Iterator[Item], workers: int) -> None:
    """Run `work` in several threads, without gradients, on shared items.

    Where one fails, or this thread is interrupted, the others find no more items, and what happened is raised.

    >>> found = []
    >>> in_parallel(found.extend, iter("abc"), workers=2)
    >>> sorted(found)
    ['a', 'b', 'c']
    """
    lock, ended = threading.Lock(), threading.Event()

    def shared() -> Iterator[Item]:
        while not ended.is_set():
            with lock:
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    @torch.inference_mode()  # a setting of each thread
    def share() -> None:
        try:
            work(shared())
        except BaseException:
            ended.set()
            raise

    with _pool(workers) as pool:
        try:
            for future in [pool.submit(share) for _ in range(workers)]:
                future.result()
        except BaseException:
            ended.set()
            raise


def results_in_order(call: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield `call(item)` of each item, without gradients, in several threads that share the cores.

    No more results wait to be taken than there are threads.

    >>> list(results_in_order(lambda number: number**2, [1, 2, 3], workers=2))
    [1, 4, 9]
    """

    def without_gradients(item: Item) -> Result:
        with torch.inference_mode():  # a setting of each thread
            return call(item)

    waiting: deque[Future[Result]] = deque()
    with _pool(workers) as pool:
        for item in items:
            waiting.append(pool.submit(without_gradients, item))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of threads that share the cores for tensor operations."""
    cores = torch.get_num_threads()
    torch.set_num_threads(max(1, cores // workers))
    try:
        with ThreadPoolExecutor(workers) as pool:
            yield pool
    finally:
        torch.set_num_threads(cores)
