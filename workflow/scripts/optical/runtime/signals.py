"""What a process does while it is told to end."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn


@contextlib.contextmanager
def answered(answer: Callable[[int, FrameType | None], Any], *numbers: int) -> Iterator[None]:
    """Answer signals by a function within the block; only the main thread can, so in others nothing changes.

    >>> with answered(lambda number, frame: print("told to end"), signal.SIGTERM):
    ...     signal.raise_signal(signal.SIGTERM)
    told to end
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, answer) for number in numbers}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier or signal.SIG_DFL)


def leave(number: int, _frame: FrameType | None) -> NoReturn:
    """End the process as an exception does, so that what is half written is removed."""
    sys.exit(128 + number)
