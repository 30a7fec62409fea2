"""What every program does first, so that it starts and ends in less time."""

import atexit
import gc


def collect_garbage_rarely() -> None:
    """Look for garbage once in 50,000 new objects instead of 700, and not at the end.

    What torch and transformers make while they are imported stays, and looking through it again and again takes half a
    second; looking through all of it before the interpreter ends takes another half.
    """
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)
