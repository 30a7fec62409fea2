"""Join the runs of several methods to one each, by reciprocal rank fusion.

Example: python workflow/scripts/fuse_runs.py --top-k 1000 \\
    --jobs '[{runs: [optical/1.trec, bm25/1.trec], out: both.trec, tag: both, constant: 60}]'
"""

from optical.program import jobs_from, log, program, run_program, yaml_value
from optical.search.runs import fuse_runs, read_run, write_run


def main(arguments):
    for job in jobs_from(arguments, ("runs", "out", "tag", "constant")):
        run = fuse_runs([read_run(path) for path in job["runs"]], arguments.top_k, job["constant"])
        log.info("%s: %d lines", job["out"], write_run(job["out"], run, job["tag"], in_full=True))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--jobs", type=yaml_value, required=True, help="[{runs, out, tag, constant}]")
    parser.add_argument("--top-k", type=int, default=1000, help="documents a query")
    run_program(main, parser)
