"""Score a teacher or a student on a test collection in the layout of BEIR, or on one of NanoBEIR.

examples:
  optical score data/scifact --model results/teacher

A folder holds corpus.jsonl, queries.jsonl and qrels/test.tsv, as BEIR publishes its collections. Any other name is one
of the catalogue of ir_datasets, such as nano-beir/scifact, which is fetched at the first use. Search is exact: all
documents are encoded, so choose a small collection where there is no GPU.
"""

import argparse
import tempfile
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from optical.cli.arguments import add_device_arguments, how_to_read, start_device
from optical.cli.terminal import print_json
from optical.program import add_base_argument, add_precision_argument

if TYPE_CHECKING:
    from optical.config.collections import CollectionBlock

MEASURES = ("nDCG@10", "AP", "RR@10", "R@100")
DEPTH = 1000  # documents a query


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical score`."""
    parser.add_argument("collection", metavar="SET", help="folder in BEIR's layout, or an id such as nano-beir/scifact")
    parser.add_argument("--model", required=True, metavar="FOLDER", help="a teacher, or the queries' student")
    teacher_help = "reads the passages (default: the one that the model names)"
    parser.add_argument("--teacher", metavar="FOLDER", help=teacher_help)
    add_base_argument(parser)
    parser.add_argument("--split", default="test", help="file of a folder in qrels/, without .tsv")
    measures_help = f"names of ir_measures (default: {' '.join(MEASURES)})"
    parser.add_argument("--measures", nargs="+", metavar="NAME", help=measures_help)
    parser.add_argument("--run", metavar="FILE", dest="run_file", help="also write a TREC run")
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    add_device_arguments(parser, "auto")
    add_precision_argument(parser)


def run(arguments: argparse.Namespace) -> None:
    """Encode the documents, search them, and print the means over the queries."""
    start_device(arguments.device, arguments.threads)
    from optical.corpora.files import read_queries
    from optical.corpora.readers import prepare_collection
    from optical.evaluation.measures import evaluate, parse_measures, read_judgments
    from optical.models.origin import run_tag
    from optical.search.exact import to_run
    from optical.search.retriever import Retriever
    from optical.search.runs import write_run

    measures = arguments.measures or MEASURES
    parse_measures(measures)  # refused before hours of work
    retriever = Retriever.load(arguments.model, arguments.teacher, **how_to_read(arguments))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "collection")
        counts = prepare_collection(block_of(arguments.collection, arguments.split), ["en"], folder)
        retriever.index(folder / "documents.jsonl", Path(place, "index"))
        ids, texts = zip(*read_queries(folder / "queries/en.tsv"), strict=True)
        found = to_run(ids, retriever.rank(texts, DEPTH))
        scores = evaluate(found, read_judgments(folder / "qrels.txt"), ids, measures)
    if arguments.run_file:
        write_run(arguments.run_file, found, run_tag(Path(arguments.model)))
    means = {name: fmean(value for _, measure, value in scores if measure == name) for name in measures}
    if arguments.json:
        print_json({"collection": arguments.collection, "documents": counts["documents"], "queries": len(ids)} | means)
        return
    print(f"{arguments.collection}: {counts['documents']} documents, {len(ids)} queries")
    for name, mean in means.items():
        print(f"{name:<10} {mean:.4f}")


def block_of(name: str, split: str) -> "CollectionBlock":
    """Return the block of a collection: of a folder in BEIR's layout, or of an id of the catalogue.

    Raises:
        DataError: it is neither.
    """
    from optical.config.collections import read_collection
    from optical.corpora.ir_datasets import check_ir_datasets_id

    if not Path(name).is_dir():
        check_ir_datasets_id(name, ("docs", "queries", "qrels"))
        return read_collection({"reader": "ir_datasets", "id": name})
    files = {"corpus": f"{name}/corpus.jsonl", "qrels": f"{name}/qrels/{split}.tsv"}
    queries = {"en": f"{name}/queries.jsonl"}
    return read_collection({"reader": "beir", "queries": queries, "partial_qrels": True} | files)
