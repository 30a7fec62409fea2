"""Read everything that a config names before a job runs, and say what the run needs.

examples:
  optical check
  optical check config/full.yaml
  optical check --verify
  optical check --accept results/collections/atlas

The command lists what it has read. Each problem is one line, and exit code 1. Files that the run fetches or makes are
not read. The table has the jobs that are left to do and what a job asks a cluster for at its first attempt: memory,
which grows with its input, and a time limit, which is not an estimate.
"""

import argparse
import contextlib
import logging
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from optical.cli.records import accept, verify
from optical.cli.terminal import table
from optical.errors import DataError, OpticalError, ResourceError

if TYPE_CHECKING:
    from optical.config.base import Settings
    from optical.config.bitext import BitextSource
    from optical.plan.experiment import Experiment

log = logging.getLogger(__name__)

SAMPLE = 2000  # sentence pairs of a source that are looked at closely
MOST_DROPPED = 0.5  # of them, by one reason
FEW_PAIRS = 300  # a student of fewer learns little
LARGEST_BYTES = 500_000_000  # of a file that is read
PROBE = "Where is the river?"  # a text that an encoder must be able to read
# Rules that are made from another one need what that needs.
SAME_NEEDS = {
    "encode_part": "encode_collection",
    "encode_with_model": "encode_collection",
    "evaluate_pruned": "evaluate_run",
    "make_pruned_table": "make_study_table",
    "search_part": "search_collection",
    "tokenise_extended": "tokenise_bitext",
}
LEFT = "Jobs that are left (+: more for a large input; the hours are limits for a cluster, not estimates):"
HEADER = ("rule", "jobs", "GB a job", "GPUs a job", "hours a job, at most")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical check`."""
    parser.add_argument("config", nargs="*", metavar="FILE", help="config, over config/config.yaml")
    parser.add_argument(
        "--verify", action="store_true", help="also compare the SHA-256 of all results with their records"
    )
    parser.add_argument(
        "--accept", nargs="+", metavar="PATH", help="only record files or folders that you changed on purpose"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the problems, then what the run needs; return 1 if there is a problem."""
    from optical.config.project import project_folder
    from optical.plan.checks import check, warnings
    from optical.plan.experiment import Experiment

    if arguments.accept:
        accept(arguments.accept)
        return 0
    files = [str(Path(file).absolute()) for file in arguments.config]
    with contextlib.chdir(project_folder()), printed_warnings():  # the config names files from the project's folder
        experiment = Experiment.from_files(*files)
        check(experiment)
        for warning in warnings(experiment):
            print(f"warning: {warning}")
        problems = 0
        for look in looks(experiment):
            try:
                look()
            except OpticalError as error:
                problems += 1
                print(f"problem: {error}")
        if arguments.verify:
            problems += verify(Path(experiment.config.results))
        if not problems:
            rows = needs(experiment, planned_jobs(files))
            print(f"no problem found. {LEFT if rows else 'No job is left to do.'}")
            if rows:
                print(table([HEADER, *rows]))
    return int(problems > 0)


class Warnings(logging.Handler):
    """Prints what the readers warn of among the findings."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        print(f"warning: {record.getMessage()}")


@contextlib.contextmanager
def printed_warnings() -> Iterator[None]:
    """Print what the readers warn of, in place of the error stream."""
    handler = Warnings(logging.WARNING)
    logging.getLogger("optical").addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger("optical").removeHandler(handler)


def looks(experiment: "Experiment") -> Iterator[Callable[[], object]]:
    """Yield the checks, each as a function that raises an error if something is wrong."""
    for lang in experiment.bitext_languages():
        yield partial(look_at_bitext, experiment, lang)
    for name in dict.fromkeys([*experiment.judged_collections(), *experiment.searchable_collections()]):
        yield partial(look_at_collection, experiment, name)
    for owner, lang in experiment.training_sets():
        yield partial(look_at_training_set, experiment, owner, lang)
    yield partial(look_at_encoder, experiment)


def there(block: "Settings") -> bool:
    """Return whether the files of a block are there, and not so large that reading them is a job of its own."""
    from optical.config.collections import files_of
    from optical.plan.sources import flatten

    files = [Path(file) for file in flatten(files_of(block))]
    if not files or not all(file.exists() for file in files):
        return False
    if large := [file for file in files if file.stat().st_size > LARGEST_BYTES]:
        print(f"not read, because it is large: {large[0]}")
    return not large


def look_at_bitext(experiment: "Experiment", lang: str) -> None:
    """Read the sentence pairs of a language; refuse a source without any, or whose pairs will be dropped."""
    from optical.errors import within
    from optical.plan.sources import bitext_sources

    sources = bitext_sources(experiment, lang)
    counts = []
    for number, source in enumerate(sources):
        if there(source):
            with within(f"bitext.{lang}[{number}]"):
                counts.append(look_at_source(experiment, lang, source))
    if len(counts) == len(sources):  # otherwise some source was not read
        check_enough(lang, sum(counts), experiment.config.bitext_cleaning.dev_pairs)


def check_enough(lang: str, count: int, dev_pairs: int) -> None:
    """Refuse sentence pairs of which none is left for training, and warn of few."""
    if count <= dev_pairs:
        what = f"no sentence pair is left for training: {count} can be used, and dev_pairs holds out {dev_pairs}"
        raise DataError(what, where=f"bitext.{lang}", hint="add sentence pairs, or lower bitext_cleaning.dev_pairs")
    if count - dev_pairs < FEW_PAIRS:
        hint = f"Hint: add sentence pairs; a student of fewer than {FEW_PAIRS} learns little"
        log.warning("sentence pairs left for training: %d [bitext.%s]. %s", count - dev_pairs, lang, hint)


def look_at_source(experiment: "Experiment", lang: str, source: "BitextSource") -> int:
    """Read a source of sentence pairs to its end, and the first ones closely; return the most that can be used."""
    from optical.bitext.codes import names_of
    from optical.bitext.filters import TOO_LONG, reason_to_drop, refuse_swapped
    from optical.bitext.readers import read_bitext
    from optical.runtime.progress import with_progress

    language = experiment.languages[lang]
    scripts = experiment.languages[source.english_side]["script"], language["script"]
    pairs = read_bitext(source, names_of(language), language["script"])
    first = list(islice(pairs, SAMPLE))
    count = len(first) + sum(1 for _ in with_progress(pairs, f"reading the sentence pairs of {lang}"))
    if not first:
        raise DataError("no sentence pairs", hint="a line: english<TAB>foreign")
    print(f"read: {count:,} sentence pairs [{', '.join(filter(None, (f'bitext.{lang}', source.name)))}]")
    refuse_swapped(((pair.english, pair.foreign) for pair in first), source.name or "")
    settings = experiment.config.bitext_cleaning
    why = [reason_to_drop(pair.english, pair.foreign, settings, scripts) for pair in first]
    clean = {(pair.english, pair.foreign) for pair, reason in zip(first, why, strict=True) if not reason}
    for reason, dropped in Counter(filter(None, why)).most_common(1):
        if dropped > MOST_DROPPED * len(first):
            what = f"{dropped} of the first {len(first)} pairs will be dropped: {reason}"
            if reason != TOO_LONG or dropped == len(first):  # the limit may be low on purpose
                raise DataError(what, hint=f"check the files, the script of {lang} ({scripts[1]}) and bitext_cleaning")
            log.warning("%s [bitext.%s, %s; bitext_cleaning.maximum_words]", what, lang, source.name)
    return len(clean) + count - len(first)  # of those beyond the sample nothing is known


def look_at_collection(experiment: "Experiment", name: str) -> None:
    """Prepare a collection in a temporary folder."""
    from optical.corpora.readers import prepare_collection
    from optical.errors import within
    from optical.plan.sources import collection_block

    block = collection_block(experiment, name)
    if there(block) and block.split is None:
        with within(f"collection_table.{name}"), tempfile.TemporaryDirectory() as folder:
            found = prepare_collection(block, ["en", *experiment.languages_of(name)], Path(folder, "collection"))
            queries = ", ".join(f"{lang} {count:,}" for lang, count in found["queries"].items()) or "none"
            print(f"read: {found['documents']:,} passages; queries: {queries} [collection_table.{name}]")


def look_at_training_set(experiment: "Experiment", owner: str, lang: str) -> None:
    """Prepare a training set in a temporary folder."""
    from optical.corpora.readers import prepare_training_set
    from optical.errors import within
    from optical.plan.sources import training_set_block

    block = training_set_block(experiment, owner, lang)
    key = "teacher" if owner == "teacher" else f"method_table.{owner}"
    if there(block):
        with within(f"{key}.training_set"), tempfile.TemporaryDirectory() as folder:
            prepare_training_set(block, Path(folder, "training_set"))


def look_at_encoder(experiment: "Experiment") -> None:
    """Load the given encoder or teacher, if it is there, and read a text; of a large one read all but the weights."""
    from transformers.utils import logging as library

    from optical.config.model_folders import weight_files
    from optical.models.encoder import DOCUMENT, QUERY
    from optical.models.folders import check_reading, load_encoder
    from optical.models.own_settings import own_settings
    from optical.models.saved_settings import saved_settings
    from optical.plan.models import encoder, given_teacher
    from optical.plan.settings import encoder_settings

    folder = Path(experiment.folder, encoder(experiment))
    if not (folder / "config.json").is_file():
        return
    is_teacher = bool(given_teacher(experiment))
    settings = saved_settings(folder) if is_teacher else own_settings(folder, encoder_settings(experiment))
    if settings is not None and sum(file.stat().st_size for file in weight_files(folder)) > LARGEST_BYTES:
        check_reading(folder, settings)
        print(f"weights not read, because they are large: {folder}")
        return
    library.set_verbosity_error()
    library.disable_progress_bar()
    model = load_encoder(folder, None if is_teacher else settings)
    for kind in (QUERY, DOCUMENT):
        ((_, vectors_LD, _),) = model.encode(PROBE, kind)
        if not vectors_LD.isfinite().all():
            what = "the encoder's vectors are not finite numbers"
            raise DataError(what, where=folder, hint="is the download complete?")


def planned_jobs(files: list[str]) -> dict[str, int]:
    """Return how many jobs of each rule are left to do, by Snakemake's dry run."""
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "rules", "--cores", "1"]
    done = subprocess.run([*command, *(["--configfile", *files] if files else [])], capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "Error" in line]
        raise ResourceError("the dry run of Snakemake failed", where=" ".join(lines[:1]), hint="run: snakemake -n")
    _, _, jobs = (done.stdout + done.stderr).partition("Job stats:")
    counts = re.findall(r"^(\w+) +(\d+)$", jobs.partition("\ntotal")[0], re.MULTILINE)
    return {rule: int(count) for rule, count in counts if rule != "all"}


def needs(experiment: "Experiment", jobs: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Return a row for each rule: its jobs, and the memory, GPUs and hours of each."""
    from optical.plan.resources import NEEDS, memory_mb, minutes, of_machine

    search = experiment.config.search
    rows: list[tuple[str, ...]] = []
    for rule, count in sorted(jobs.items()):
        need = NEEDS.get(SAME_NEEDS.get(rule, rule))
        if need is None:
            rows.append((rule, str(count), "-", "-", "-"))
            continue
        parts = search.parts if rule.endswith("_part") else 1
        more = search.memory_mb if rule.startswith("search_") and need.model else 0
        memory = f"{memory_mb(need, 0, 1, more, parts) / 1000:.1f}{'+' if need.times_input else ''}"
        gpus = of_machine(need, experiment.config.machine).get("gpu", 0)
        rows.append((rule, str(count), memory, str(gpus), f"{minutes(need, 1, parts) / 60:.1f}"))
    return rows
