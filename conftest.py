"""Keep pytest from importing modules whose optional package is not installed."""

import importlib.util

# Triton comes with the CUDA builds of torch only.
collect_ignore = [] if importlib.util.find_spec("triton") else ["workflow/scripts/optical/transport_fused.py"]
