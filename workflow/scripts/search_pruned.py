"""Search a pruned index with many query encoders; one run file each, as search_collection makes from all documents.

Example: python workflow/scripts/search_pruned.py --index index --top-k 1000 \\
    --jobs '[{"encoder": "teacher", "queries": "queries/sw.tsv", "out": "run.trec", "tag": "zero-shot"}]'
"""

from pathlib import Path

from optical.corpora_files import read_queries
from optical.encoder import load_encoder
from optical.machine import machine_from
from optical.program import add_machine_arguments, log, program, run_program, yaml_value
from optical.pruned import open_index, search_index
from optical.retrieval import encode_queries
from optical.runs import write_run
from optical.scoring import to_run


def main(arguments):
    machine = machine_from(arguments)
    device = machine.start()
    index = open_index(arguments.index, str(device))
    for job in arguments.jobs:
        encoder = load_encoder(job["encoder"]).to(device)
        query_ids, texts = zip(*read_queries(job["queries"]), strict=True)
        vectors_QMD, mask_QM = encode_queries(encoder, list(texts), precision=machine.precision)
        hits = search_index(vectors_QMD, mask_QM, index, arguments.top_k, arguments.probes, arguments.candidates)
        write_run(Path(job["out"]), to_run(query_ids, hits), job["tag"])
        log.info("%s: %d queries", job["tag"], len(texts))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--index", required=True, metavar="FOLDER", help="from index_collection")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {encoder, queries, out, tag}")
    parser.add_argument("--top-k", type=int, default=1000, help="documents per query")
    parser.add_argument("--probes", type=int, default=8, help="centroids that a query token looks at")
    parser.add_argument("--candidates", type=int, default=4096, help="documents per query that are scored")
    add_machine_arguments(parser)
    run_program(main, parser)
