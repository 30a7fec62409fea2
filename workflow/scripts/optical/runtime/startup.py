"""What every program does first to save time."""

import atexit
import ctypes
import gc
import os
import sys

from optical.runtime.offline import keep_offline

# Of glibc's malloc.h: what `mallopt` sets.
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
# How many shapes of matrix products torch's two caches of oneDNN keep, a thousand by default; a step has some forty.
CACHES, SHAPES_KEPT = ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"), "64"


def prepare_process() -> None:
    """Set how the interpreter, the C library and Hugging Face's libraries work; results do not depend on it."""
    keep_offline()
    collect_garbage_rarely()
    keep_memory()


def collect_garbage_rarely() -> None:
    """Look for garbage once in 50,000 new objects instead of 700, and not at the end.

    What torch and transformers make while they are imported stays, and looking through it again and again takes half a
    second; looking through all of it before the interpreter ends takes another half.
    """
    gc.set_threshold(50_000)
    atexit.register(gc.freeze)


def keep_memory() -> None:
    """Keep freed memory for the next tensor, in huge pages, instead of giving it back to the system.

    A training step makes and frees the same large tensors again and again. By default glibc fetches each again, and the
    system fills it with zeros page by page, which takes a third of a step in bf16. oneDNN keeps memory for the shapes
    of earlier batches. It would separate freed tensors, so that larger ones no longer fit and memory grows with each
    step. Call this before torch makes its first large tensor.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # read by torch
    for cache in CACHES:
        os.environ.setdefault(cache, SHAPES_KEPT)
    set_allocation({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: -1})  # never map, never trim


def set_allocation(parameters: dict[int, int]) -> None:
    """Set parameters of glibc's allocator; elsewhere nothing happens."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        for parameter, value in parameters.items():
            mallopt(parameter, value)
