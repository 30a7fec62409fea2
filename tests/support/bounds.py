"""Tests of what must not take for ever: their bound is far above what it takes, on a busy machine too."""

import contextlib
import signal


@contextlib.contextmanager
def bounded(seconds):
    """Fail what has not ended after some seconds."""

    def fail(*_):
        raise AssertionError(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
