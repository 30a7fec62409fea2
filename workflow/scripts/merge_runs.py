"""Merge the runs of the parts of a collection, which were searched apart, to the runs of the whole.

Example: python workflow/scripts/merge_runs.py --top-k 1000 \\
    --jobs '[{runs: [part_runs/1-of-2/optical/1.trec, part_runs/2-of-2/optical/1.trec], out: 1.trec, tag: optical}]'
"""

from optical.program import jobs_from, log, program, run_program, yaml_value
from optical.search.runs import merge_runs, read_run, write_run


def main(arguments):
    for job in jobs_from(arguments, ("runs", "out", "tag")):
        run = merge_runs((read_run(path) for path in job["runs"]), arguments.top_k)
        log.info("%s: %d lines", job["out"], write_run(job["out"], run, job["tag"]))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--jobs", type=yaml_value, required=True, help="[{runs, out, tag}], parts in collection order")
    parser.add_argument("--top-k", type=int, required=True, help="documents per query")
    run_program(main, parser)
