"""What the jobs of each rule need: memory by the size of their input, and time. Both grow with each attempt.

A job that is killed for memory or time is tried again with more. Most retries of a training follow a stop instead: it
continues where it stopped, so its time stays the same.
"""

import math
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from optical.config.experiment import Machine


@dataclass(frozen=True)
class Need:
    """What a job of a rule needs.

    Args:
        base_mb: memory in megabytes, whatever the input.
        times_input: megabytes more for each megabyte of input.
        minutes: of the cluster.
        most_mb: that the first attempt asks for, where no more than a part of the input is read into memory.
        model: whether a model runs, which takes a device.
        training: whether a model is trained, which is saved and resumed.
        one_of: name of the only input that counts, and of it the largest file or folder: a search holds one model at a
            time, and reads vectors in blocks. "" to count all input.
    """

    base_mb: float
    times_input: float
    minutes: int
    most_mb: float = math.inf
    model: bool = False
    training: bool = False
    one_of: str = ""


NEEDS = {
    "clean_bitext": Need(500, 20, 60, most_mb=8000),  # corpora larger than that have a `limit`
    "sample_bitext": Need(500, 10, 30),
    "mix_bitext": Need(500, 10, 30),
    "train_tokeniser": Need(1000, 20, 120),
    "tokenise_text": Need(500, 2, 120),
    "tokenise_bitext": Need(500, 2, 60),
    "tokenise_training_set": Need(1000, 1, 240),
    "prepare_training_set": Need(1000, 2, 240),
    "prepare_collection": Need(1000, 2, 240),
    "pretrain_encoder": Need(2000, 2, 1440, model=True, training=True),
    "train_teacher": Need(2500, 2, 2880, model=True, training=True),
    "distil_student": Need(2500, 2, 720, model=True, training=True),
    "retrain_student": Need(3000, 0.5, 720, model=True, training=True),
    "train_translator": Need(2500, 2, 1440, model=True, training=True),
    "extend_vocabulary": Need(3000, 200, 240),
    "make_dense": Need(2000, 3, 60),
    "encode_bitext": Need(2000, 2, 240, model=True),
    "encode_collection": Need(3000, 1, 720, model=True),
    "search_collection": Need(2000, 3, 240, model=True, one_of="encoders"),  # and the memory of config.search
    "index_collection": Need(4000, 2, 720, model=True),
    "search_pruned": Need(2000, 2, 240, model=True),
    "translate_queries": Need(2500, 2, 240, model=True),
    "measure_alignment": Need(2000, 2, 60, model=True),
    "align_sentences": Need(2000, 2, 30),
    "check_students": Need(2000, 3, 60, model=True, one_of="start"),
    "align_words": Need(1000, 100, 240),
    "switch_queries": Need(1000, 0, 60),
    "search_lexical": Need(1000, 10, 120),
    "merge_runs": Need(1000, 10, 60),
    "fuse_runs": Need(1000, 10, 60),
    "evaluate_run": Need(1500, 0.5, 60),  # one run at a time
    "make_map_table": Need(500, 10, 60),
    "make_matrix_table": Need(500, 10, 60),
    "make_one_index_table": Need(1500, 0.5, 60),  # one run at a time
    "describe_queries": Need(1500, 0.5, 60),  # one run at a time
    "make_study_table": Need(1000, 20, 120),
    "plot_queries": Need(500, 10, 60),
    "make_report": Need(500, 10, 60),
}


def of_machine(need: Need, machine: Machine) -> dict[str, object]:
    """Return the resources that the block `machine` decides: the device of a model, and how training is saved."""
    if not need.model:
        return {}
    device: dict[str, object] = {"device": machine.device, "precision": machine.precision}
    if not need.training:
        return device | {"gpu": min(1, machine.gpus)}
    several = f"python -m torch.distributed.run --standalone --nproc-per-node {machine.gpus} --"
    return device | {
        "gpu": machine.gpus,
        "launcher": several if machine.gpus > 1 else "python",
        "checkpoint_minutes": machine.checkpoint_minutes,
        "checkpoint_steps": machine.checkpoint_steps,
        "stop_before_runtime": int(machine.stop_before_runtime),
    }


def memory_mb(need: Need, input_mb: float, attempt: int, more_mb: float = 0, parts: int = 1) -> int:
    """Return the megabytes that an attempt asks for: doubled with the second and the third.

    >>> memory_mb(Need(500, 2, 60), input_mb=100, attempt=2)
    1400
    """
    share = 1 if need.one_of else parts
    return raised(min(need.base_mb + more_mb + need.times_input / share * input_mb, need.most_mb), attempt)


def input_mb(need: Need, files: Any) -> float:
    """Return the megabytes of a job's input that count for its memory.

    Args:
        need: of the job's rule.
        files: its input, as Snakemake gives it to functions.
    """
    if need.one_of:
        return max(map(megabytes, getattr(files, need.one_of)), default=0)
    return sum(map(megabytes, files))


def raised(first_mb: float, attempt: int) -> int:
    """Return the megabytes that an attempt asks for, from those of the first: doubled with the second and the third."""
    return int(first_mb * 2 ** min(attempt - 1, 2))


def minutes(need: Need, attempt: int, parts: int = 1) -> int:
    """Return the minutes that an attempt asks for: twice as many with the second, three times with the third.

    A part of a job takes its share of the time, plus half an hour to start.

    >>> minutes(Need(500, 2, 60), attempt=2), minutes(Need(500, 2, 60), attempt=1, parts=4)
    (120, 45)
    """
    whole = need.minutes if parts == 1 else 30 + need.minutes // parts
    return whole if need.training else whole * min(attempt, 3)


def megabytes(path: str) -> float:
    """Return the size of a file, or of the files of a folder, in units of 1e6 bytes.

    `input.size_mb` does not count the files of a folder, and Snakemake does not know it while it plans.

    Raises:
        FileNotFoundError: there is no such path yet, from which Snakemake knows to ask again before the job.
    """
    size = os.stat(path).st_size / 1e6
    return megabytes_within(path) or size


def megabytes_within(folder: str) -> float:
    """Return the size of the files of a folder, whose own size is that of its list of names; 0 for a file."""
    size = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # a job that fills the folder may have just moved it
                size += os.stat(os.path.join(place, name)).st_size
    return size / 1e6
