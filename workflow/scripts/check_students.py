"""Check on held-out sentence pairs whether training helped the students of a language.

Example: python workflow/scripts/check_students.py --teacher teacher --bitext bitext/sw/dev.tsv --lang sw \\
    --out held_out/sw.tsv --jobs '[{method: optical, seed: 1, folder: students/sw/optical/1, start: teacher}]'

Each student, the model that it started from and BM25 look for the English sentence of each foreign one.
"""

from functools import cache

import numpy as np

from optical.config.methods import LexicalSettings
from optical.evaluation.held_out import COLUMNS, doubts, held_out_row, summary
from optical.files import read_rows, write_rows
from optical.models.folders import keeping, load_encoder
from optical.program import (
    add_base_argument,
    add_machine_arguments,
    jobs_from,
    log,
    program,
    run_program,
    yaml_value,
)
from optical.runtime.machine import machine_from
from optical.search.translations import Vectors, english_vectors, ranks_by_vectors, ranks_by_words

MOST_PAIRS = 200  # enough to tell a difference of a few hundredths, and read within a second or two


def main(arguments):
    jobs = jobs_from(arguments, ("method", "seed", "folder", "start"))
    machine = machine_from(arguments)
    device = machine.start()
    pairs = [row[:2] for row in read_rows(arguments.bitext, 2)][:MOST_PAIRS]
    if not pairs:
        log.warning("no held-out pairs: let bitext_cleaning.dev_pairs be above 0 to know whether training helped")
        write_rows(arguments.out, [COLUMNS], sealed=True)
        return
    english, foreign = map(list, zip(*pairs, strict=True))

    encoder_in = keeping(1, lambda folder: load_encoder(folder, base=arguments.base).to(device))

    @cache
    def vectors_of(teacher: str) -> Vectors:
        return english_vectors(encoder_in(teacher), english, machine.precision)

    @cache
    def ranks_of(folder: str, teacher: str) -> np.ndarray:
        vectors = vectors_of(teacher)  # first, as the model that it needs is often the same
        return ranks_by_vectors(encoder_in(folder), foreign, vectors, machine.precision)

    def row_of(job: dict) -> dict[str, str]:
        start, student = (ranks_of(job[name], job.get("teacher", arguments.teacher)) for name in ("start", "folder"))
        return held_out_row({"lang": arguments.lang} | job, student, {"start": start, "bm25": bm25})

    bm25 = ranks_by_words(foreign, english, LexicalSettings.read(arguments.lexical, "lexical"))
    rows = [row_of(job) for job in jobs]
    write_rows(arguments.out, [COLUMNS, *([row[name] for name in COLUMNS] for row in rows)], sealed=True)
    log.info("%s", summary(rows))
    for line in doubts(rows):
        log.warning("%s", line)


if __name__ == "__main__":
    parser = program(__doc__, out="table of the language")
    parser.add_argument("--teacher", required=True, metavar="FOLDER", help="reads the English sentences")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="held-out pairs: english<TAB>foreign")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {method, seed, folder, start, teacher}")
    parser.add_argument("--lexical", type=yaml_value, default={}, help="settings of BM25")
    parser.add_argument("--lang", required=True)
    add_machine_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
