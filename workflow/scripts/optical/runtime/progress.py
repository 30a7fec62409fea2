"""Progress of a job: a bar on a terminal, and a line of the log now and then elsewhere."""

import logging
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

log = logging.getLogger(__name__)

PROGRESS_EVERY_SECONDS = 15.0
Item = TypeVar("Item")


class Progress:
    """A progress bar on a terminal; elsewhere a plain log line now and then and one at the end. Total 0: unknown.

    >>> with Progress("counting", total=3) as progress:
    ...     for _ in range(3):
    ...         progress.advance(1, loss=0.5)
    """

    def __init__(self, what: str, total: int, done: int = 0):
        self.what, self.total, self.done = what, total, done
        self.note = ""
        self.started = self.reported = time.monotonic()
        self.first = done
        # None: on a terminal alone
        self.bar = tqdm(total=total or None, initial=done, desc=what, leave=False, dynamic_ncols=True, disable=None)

    def __enter__(self) -> "Progress":
        return self

    def advance(self, steps: int = 1, **figures: float) -> None:
        """Count steps; `figures` are shown beside the count."""
        self.done += steps
        if figures:
            self.note = " ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self.bar.set_postfix_str(self.note, refresh=False)
        self.bar.update(steps)
        if self.bar.disable and time.monotonic() - self.reported > PROGRESS_EVERY_SECONDS:
            self._report()

    def _report(self) -> None:
        self.reported = time.monotonic()
        count, left = str(self.done), ""
        if self.total:
            pace = (self.reported - self.started) / max(self.done - self.first, 1)
            count, left = f"{self.done} of {self.total}", f"{pace * (self.total - self.done):.0f} s left"
        log.info("%s: %s", self.what, ", ".join(filter(None, [count, self.note, left])))

    def __exit__(self, kind: object, *_: object) -> None:
        self.bar.close()
        if kind is None:
            count = f"{self.done} done in {time.monotonic() - self.started:.1f} s"
            log.info("%s: %s", self.what, ", ".join(filter(None, [count, self.note])))


def with_progress(items: Iterable[Item], what: str, total: int = 0) -> Iterator[Item]:
    """Yield the items and show the progress; `total` is 0 if it is unknown."""
    with Progress(what, total) as progress:
        for item in items:
            yield item
            progress.advance()
