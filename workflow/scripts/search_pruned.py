"""Search a pruned index with many query encoders; one run file each, as search_collection makes from all documents.

Example: python workflow/scripts/search_pruned.py --index index --top-k 1000 \\
    --jobs '[{"encoder": "teacher", "queries": "queries/sw.tsv", "out": "run.trec", "tag": "zero-shot"}]'
"""

from optical.program import add_base_argument, add_machine_arguments, jobs_from, program, run_program, yaml_value
from optical.runtime.machine import machine_from
from optical.search.jobs import write_runs
from optical.search.pruned import open_pruned_index, search_pruned_index


def main(arguments):
    machine = machine_from(arguments)
    device = machine.start()
    index = open_pruned_index(arguments.index, str(device))

    def find(_, vectors_QMD, mask_QM):
        how = (arguments.top_k, arguments.probes, arguments.candidates)
        return search_pruned_index(vectors_QMD, mask_QM, index, *how)

    jobs = jobs_from(arguments, ("encoder", "queries", "out", "tag"))
    write_runs(jobs, find, device, machine.precision, base=arguments.base)


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--index", required=True, metavar="FOLDER", help="from index_collection")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {encoder, queries, out, tag}")
    parser.add_argument("--top-k", type=int, default=1000, help="documents per query")
    parser.add_argument("--probes", type=int, default=8, help="centroids that a query token looks at")
    parser.add_argument("--candidates", type=int, default=4096, help="documents per query that are scored")
    add_machine_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
