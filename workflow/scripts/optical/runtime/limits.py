"""Bounds on what is held in memory at once, from which the plan also reckons the memory of jobs."""

LARGE = 50_000  # subwords; of a larger vocabulary a training holds those in use alone
SORTED_AT_ONCE = 100_000  # documents held in memory while they are sorted by length
BATCH_SCORES = 1 << 24  # of subwords, for each beam of a translation: 64 MB, which a search holds several times
