"""Search an encoded collection with many query encoders, exhaustively (MaxSim); one run file each.

Example: python workflow/scripts/search_collection.py --shards vectors --top-k 1000 \\
    --jobs '[{"encoder": "teacher", "queries": "queries/sw.tsv", "out": "run.trec", "tag": "zero-shot"}]'
"""

from optical.program import add_base_argument, add_machine_arguments, jobs_from, program, run_program, yaml_value
from optical.runtime.machine import machine_from
from optical.search.exact import fastest_precision, search
from optical.search.jobs import write_runs
from optical.search.parts import part_from


def main(arguments):
    machine = machine_from(arguments)
    device = machine.start()

    def find(job, vectors_QMD, mask_QM):
        shards = job.get("shards", arguments.shards)
        precision = fastest_precision(machine.precision, str(device), shards, arguments.top_k)
        return search(vectors_QMD, mask_QM, shards, arguments.top_k, arguments.memory_mb, precision, str(device))

    jobs = jobs_from(arguments, ("encoder", "queries", "out", "tag"))
    write_runs(jobs, find, device, machine.precision, arguments.part != (1, 1), arguments.base)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--shards", nargs="+", required=True, metavar="FOLDER", help="from encode_collection")
    parser.add_argument(
        "--part",
        type=part_from,
        default="1-of-1",
        metavar="N-of-PARTS",
        help="what the shards hold; the scores of a part's run are written in full, for merge_runs",
    )
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {encoder, queries, out, tag, shards}")
    parser.add_argument("--top-k", type=int, default=1000, help="documents per query")
    parser.add_argument("--memory-mb", type=int, default=1000, help="of the search beside queries and hits")
    add_machine_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
