"""Sum what a run cost, per rule and method: time, CPU, memory, and the energy of GPUs where one was used.

Example: python workflow/scripts/make_cost_table.py --benchmarks results/benchmarks --methods mse optical --out cost.tsv
"""

from optical.evaluation.job_costs import cost_rows
from optical.files import write_rows
from optical.program import log, program, run_program


def main(arguments):
    rows = cost_rows(arguments.benchmarks, arguments.methods)
    write_rows(arguments.out, rows, sealed=True)
    total = dict(zip(rows[0], rows[-1], strict=True))
    log.info("%s jobs, %s s, %s s of CPU", total["jobs"], total["seconds"], total["cpu_seconds"])


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--benchmarks", required=True, help="folder; those of its changes are found beside it")
    parser.add_argument("--methods", nargs="*", default=[], help="names that tell a path's method")
    run_program(main, parser)
