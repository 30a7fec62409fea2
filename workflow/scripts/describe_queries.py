"""Describe each query of a language for the report: its text, the scores of all methods, and the passages they found.

python workflow/scripts/describe_queries.py --scores scores/atlas/sw.tsv --collection atlas --lang sw --measure AP \\
    --prepared collections/atlas --jobs '[{run: optical.trec, method: optical}]' --out queries/sw.json
"""

from pathlib import Path

from optical.corpora.files import read_documents
from optical.corpora.passages import text_of
from optical.evaluation.gains import query_means
from optical.evaluation.measures import read_judgments, read_ranking
from optical.evaluation.query_records import query_record, shortened
from optical.evaluation.scores import read_scores
from optical.files import read_rows, write_json
from optical.program import jobs_from, log, program, run_program, yaml_value


def main(arguments):
    prepared = Path(arguments.prepared)
    files = {lang: prepared / f"queries/{lang}.tsv" for lang in (arguments.lang, "en")}
    texts = {
        lang: {row[0]: row[1] for row in read_rows(path, columns=2)} for lang, path in files.items() if path.is_file()
    }
    means = query_means(read_scores([arguments.scores]), arguments.measure, arguments.collection)
    rankings = ((job["method"], read_ranking(job["run"])) for job in jobs_from(arguments, ("run", "method")))
    judgments = read_judgments(prepared / "qrels.txt")
    record = query_record(arguments.lang, texts, means, rankings, judgments, arguments.passages)
    wanted = {name for method in record["methods"].values() for names in method["found"] for name in names}
    documents = read_documents(prepared / "documents.jsonl")
    record["passages"] = {
        document["id"]: shortened(text_of(document)) for document in documents if document["id"] in wanted
    }
    write_json(arguments.out, record, sealed=True)
    log.info("%s: %d queries, %d passages", arguments.out, len(record["queries"]), len(wanted))


if __name__ == "__main__":
    parser = program(__doc__, out="queries, scores and passages (JSON)")
    parser.add_argument("--scores", required=True, metavar="FILE", help="scores of evaluate_run.py")
    parser.add_argument("--prepared", required=True, metavar="FOLDER", help="the prepared collection")
    parser.add_argument("--collection", required=True)
    parser.add_argument("--lang", required=True, help="the language of the queries")
    parser.add_argument("--measure", required=True)
    parser.add_argument("--passages", action="store_true", help="runs list passages of the judged documents")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {run, method}")
    run_program(main, parser)
