"""The real data that OPTICAL_MIRROR names; where it is not at hand, what needs it is skipped."""

import os
from pathlib import Path

import pytest

GIVEN = os.environ.get("OPTICAL_MIRROR")
MIRROR = GIVEN and str(Path(GIVEN).resolve())  # tests run programs in other folders
needs_mirror = pytest.mark.skipif(not MIRROR, reason="OPTICAL_MIRROR names no folder with the real data")


def mirrored(pattern):
    """Return the mirrored files of a pattern below GitHub's raw files, which must exist."""
    found = sorted(Path(MIRROR).glob(f"raw.githubusercontent.com/{pattern}"))
    assert found, pattern
    return [str(path) for path in found]
