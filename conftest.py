"""What pytest does in this project: modules that it leaves out, and which tests CI may skip."""

import importlib.util
import os

import pytest

# Triton comes with the CUDA builds of torch only.
collect_ignore = [] if importlib.util.find_spec("triton") else ["workflow/scripts/optical/losses/transport_fused.py"]

# What a machine may lack, by a word of the reason that its test gives; all else is there in CI, or .ci/run installs it.
MAY_LACK = (
    "CUDA",
    "OPTICAL_MIRROR",
    "OPTICAL_PRUNED_PYTHON",
    "eflomal-align",
    "glibc",
    "network namespace",
    "on this processor",
)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Let a test fail in CI that would be skipped there, except if the machine lacks something that it may lack."""
    report = (yield).get_result()
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2]
        if not any(word in reason for word in MAY_LACK):
            report.outcome, report.longrepr = "failed", f"must not be skipped in CI: {reason}"


# Files of tests that take minutes, the longest first.
LONGEST = (
    "test_study_runs.py",
    "test_slurm.py",
    "test_docs_commands.py",
    "test_benchmarks.py",
    "test_study_texts.py",
    "test_conda.py",
    "test_small_run.py",
    "test_rehearsal.py",
)


def pytest_collection_modifyitems(items):
    """Give workers the longest files first, so that none of them still works on one when the others are done.

    The many short ones fill up the end. One process keeps to the order of the files, in which most faults show sooner.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    places = {name: place for place, name in enumerate(LONGEST)}
    slow = {item.path for item in items if item.get_closest_marker("workflow")}
    items.sort(key=lambda item: (places.get(item.path.name, len(places)), item.path not in slow))


WITH_A_MODEL = (
    "optical.models.encoder.Encoder.read",
    "optical.search.retriever.Retriever",
    "optical.training.distillation.distil",
)


@pytest.fixture(autouse=True)
def _names_of_doctests(request, doctest_namespace):
    """Give the doctests that need a model a small random one, and a folder for an index."""
    if request.node.name in WITH_A_MODEL:
        from support.tiny_models import save_encoder

        folder = request.getfixturevalue("tmp_path")
        doctest_namespace.update(model=save_encoder(folder / "model"), folder=folder / "index")
