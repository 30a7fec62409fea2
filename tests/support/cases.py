"""The strange inputs that OPTICAL_CASES names; where they are not at hand, what needs them is skipped."""

import os
from pathlib import Path

import pytest

CASES = Path(os.environ.get("OPTICAL_CASES", ""))
needs_cases = pytest.mark.skipif(
    not os.environ.get("OPTICAL_CASES"), reason="OPTICAL_CASES names no folder with the strange inputs"
)
