"""Search your own passages or a collection of an experiment with a query in any language that has a student.

examples:
  optical search --documents passages.jsonl --lang sw "lugha ya Ufaransa"
  optical search --collection atlas --lang sw "lugha ya Ufaransa"
  optical search --collection atlas --lang sw --queries results/collections/atlas/queries/sw.tsv --out run.trec

The words of a passage that the query matched are bold, or in square brackets if the output is not a terminal. Your own
passages are a file of JSON Lines or CSV (id, text, optional title) or id<TAB>text, or an index that is made by `optical
index build`. A collection is a prepared folder, or its name in RESULTS/collections; its vectors are in RESULTS/vectors.
"""

import argparse
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from optical.cli.arguments import WrongArguments, add_device_arguments, not_empty, start_device, whole_number
from optical.cli.terminal import columns_of_terminal, mark_words, print_json, printable
from optical.config.names import MULTILINGUAL
from optical.corpora.named_columns import ids_and_texts
from optical.errors import DataError
from optical.models.origin import method_there, origin_of, query_model, run_tag, student_in, trained_model
from optical.program import add_base_argument
from optical.runtime.provenance import check_belongs
from optical.search.parts import part_from

if TYPE_CHECKING:
    from optical.search.retriever import Hit, Retriever
    from optical.search.runs import WordSearch

SHOWN_CHARACTERS = 400
SHOWN, IN_RUN = 10, 1000  # passages per query, to read and to evaluate


class Passage(TypedDict):
    """A passage that a query finds, with the words that match."""

    rank: int
    id: str
    score: float
    text: str
    matches: list[dict[str, Any]]
    metadata: dict[str, str]


class Answer(TypedDict):
    """A query and its passages, the best first."""

    query_id: str
    query: str
    passages: list[Passage]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical search`."""
    parser.add_argument("query", nargs="?", help="the query's text")
    parser.add_argument("--queries", metavar="FILE", help="many queries instead: query_id<TAB>text")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--index", type=not_empty, metavar="FOLDER", help="search an index that optical index build has made"
    )
    where.add_argument(
        "--documents", type=not_empty, metavar="FILE", help="search the passages of a file, encoded at first use"
    )
    where.add_argument("--collection", type=not_empty, metavar="C", help="search a prepared collection: folder or name")
    parser.add_argument("--results", metavar="FOLDER", help="of the experiment (default: those of C, or results)")
    parser.add_argument("--lang", metavar="CODE", help="language of the query; en is read by the teacher")
    method_help = "whose student reads it; or zero-shot, or extended (default: the only one with students, or optical)"
    parser.add_argument("--method", help=method_help)
    parser.add_argument("--seed", type=int, help="which of its students (default: 1)")
    parser.add_argument("--model", metavar="FOLDER", help="read the query with this model instead")
    add_base_argument(parser)
    parser.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="CONDITION",
        help="with --index: only passages with language=sw, source=news or date>=2024; may be repeated",
    )
    parser.add_argument(
        "--fuse", choices=("bm25", "smt"), help="also search by words, and join the ranks of both searches"
    )
    top_help = f"passages per query (default: {SHOWN}; {IN_RUN} in a run)"
    parser.add_argument("--top", type=whole_number, metavar="N", help=top_help)
    parser.add_argument("--out", metavar="FILE", help="with --queries: write a TREC run")
    parser.add_argument("--json", action="store_true", help="print one JSON object a query, for programs")
    add_device_arguments(parser, "cpu")


def run(arguments: argparse.Namespace) -> None:
    """Search and print ranked passages or JSON, or write a run."""
    queries = read_queries(arguments)
    find = FINDERS[next(name for name in FINDERS if getattr(arguments, name))]
    start_device(arguments.device, arguments.threads)
    from optical.search.exact import to_run
    from optical.search.runs import write_run

    retriever = find(arguments)
    fuse = by_words(arguments, retriever)
    query_ids, texts = zip(*queries, strict=True)
    started = time.monotonic()
    answers: list[list[Hit]] = []
    if arguments.json or not arguments.out:
        answers = retriever.search_all(texts, arguments.top or SHOWN, arguments.where, fuse)
    if arguments.out:
        depth = arguments.top or IN_RUN
        run = to_run(query_ids, retriever.rank(texts, depth, arguments.where, fuse))
        # joined ranks differ by less than six decimals show
        write_run(arguments.out, run, arguments.method or run_tag(retriever.model), in_full=bool(arguments.fuse))
        if not arguments.json:
            print(f"{arguments.out}: {len(run)} queries, at most {depth} passages each; --top N changes that")
    seconds = time.monotonic() - started
    for query, hits in zip(queries, answers, strict=False):
        result = shown(query, hits)
        if arguments.json:
            print_json(result)
        else:
            print("\n\n".join(passage_as_text(passage) for passage in result["passages"]))
            count = len(result["passages"])
            print(f"\n{count} passage{'s' * (count != 1)} in {seconds:.2f} s")


def read_queries(arguments: argparse.Namespace) -> list[tuple[str, str]]:
    """Return (query id, text) of the one query or of the file."""
    query = (arguments.query or "").strip()
    if bool(query) == bool(arguments.queries):
        hint = 'optical search --collection C --lang sw "swali", or --queries FILE'
        raise WrongArguments("give one query, or a file of queries", hint=hint)
    if arguments.queries and not (arguments.out or arguments.json):
        raise WrongArguments("no place for the results", where="--queries", hint="add --out run.trec or --json")
    if query:
        return [("1", query)]
    queries = [row for _, row in ids_and_texts(arguments.queries, "remove the rest")]
    if not queries:
        raise DataError("no queries", where=arguments.queries, hint="one a line: query_id<TAB>text")
    for query_id, text in queries:
        if not text.strip():
            raise DataError(f"query {query_id!r} has no words", where=arguments.queries, hint="remove its line")
        if query_id.split() != [query_id]:
            hint = "one word a query: a run has it in a column"
            raise DataError(f"{query_id!r} is not a query id", where=arguments.queries, hint=hint)
    twice = [name for name, count in Counter(name for name, _ in queries).items() if count > 1]
    if twice:
        raise DataError(f"query id {twice[0]!r} is there twice", where=arguments.queries, hint="give each its own id")
    return queries


def in_index(arguments: argparse.Namespace) -> "Retriever":
    """Return the retriever of an index."""
    from optical.search.retriever import Retriever

    asked = (arguments.lang or "", arguments.method or "", arguments.seed)
    return Retriever.open(arguments.index, *asked, arguments.model, arguments.device, arguments.base)


def in_documents(arguments: argparse.Namespace) -> "Retriever":
    """Return the retriever of a file of passages; their index is kept for the next search."""
    from optical.search.index import cached_index, is_index
    from optical.search.retriever import Retriever

    model = _model(arguments, Path(arguments.results or "results"))
    retriever = Retriever.load(model, device=arguments.device, base=arguments.base)
    index = cached_index(arguments.documents, retriever.reader)
    if is_index(index):
        retriever.use(index)
    else:
        retriever.index(arguments.documents, index)
    return retriever


def in_collection(arguments: argparse.Namespace) -> "Retriever":
    """Return the retriever of a collection, its vectors and the model; say what to run for one that is missing."""
    from optical.models.folders import load_encoder
    from optical.runtime.devices import device_of
    from optical.search.passages import Passages
    from optical.search.retriever import Retriever
    from optical.search.vectors import Collection

    folder = Path(os.path.abspath(arguments.collection))  # the name of "." is that of the folder
    if (folder / "documents.jsonl").is_file():
        beside = folder.resolve().parent.parent if folder.resolve().parent.name == "collections" else Path("results")
        results = Path(arguments.results or beside)
    else:
        results = Path(arguments.results or "results")
        folder = results / "collections" / arguments.collection
    if not (folder / "documents.jsonl").is_file():
        known = sorted(path.parent.name for path in (results / "collections").glob("[!.]*/documents.jsonl"))
        hint = f"prepared are {', '.join(known)}" if known else _remedy(folder)
        raise DataError("no prepared collection", where=folder, hint=hint)
    shards = newest_vectors(results, folder.name)
    if not shards:
        vectors = results / "vectors" / folder.name
        raise DataError("the collection is not encoded", where=vectors, hint=_remedy(vectors))
    model, teacher = _model(arguments, results), results / "teacher"
    passages = Passages(
        [folder / "documents.jsonl"], shards, teacher if (teacher / "tokenizer.json").is_file() else None
    )
    reader = model
    if read := _read_by_student(arguments, model, results, folder.name):
        passages = passages._replace(shards=[read], tokeniser=None)
        reader = student_in(results, *read.parts[-3:])
    if made_by := Collection(passages.shards).encoder:
        check_belongs(reader, passages.shards[0], made_by)
    encoder = load_encoder(model, base=arguments.base).to(device_of(arguments.device))
    return Retriever(encoder, model, teacher, passages=passages)


def by_words(arguments: argparse.Namespace, retriever: "Retriever") -> "WordSearch | None":
    """Return the search by words whose ranks are joined, if one is asked for."""
    from optical.bitext.word_alignment import read_lexical_table
    from optical.search.lexical import word_search

    if arguments.fuse != "smt":
        return word_search() if arguments.fuse else None
    origin = origin_of(retriever.model)
    results, lang = Path(arguments.results or origin.results or "results"), arguments.lang or origin.lang
    if lang in ("", MULTILINGUAL):
        hint = "add --lang CODE, whose words --fuse smt is to translate"
        raise WrongArguments("which language?", where="--lang", hint=hint)
    table = results / "lexical_tables" / f"{lang}.tsv"
    if not table.is_file():
        raise DataError("no table of word translations", where=table, hint=_remedy(table))
    return word_search(read_lexical_table(table))


def _read_by_student(arguments: argparse.Namespace, model: Path, results: Path, collection: str) -> Path | None:
    """Return the vectors of passages that a student of their language has read; None where the teacher has.

    Its method and seed are those of the student that reads the query; of an English query, those that are asked for.
    """
    if model.resolve().is_relative_to((results / "students").resolve()):
        method, seed = model.parts[-2:]
    elif arguments.lang == "en" and not arguments.model:
        method, seed = arguments.method or method_there(results), "1" if arguments.seed is None else str(arguments.seed)
    else:
        return None
    return next((results / "model_vectors" / collection / "students").glob(f"[!.]*/{method}/{seed}"), None)


def newest_vectors(results: Path, collection: str) -> list[Path]:
    """Return the vectors of a collection, as a whole or in parts in their order; of several divisions, which a changed
    config leaves behind, the one that was made last among those that are complete."""
    whole = results / "vectors" / collection
    divisions: dict[int, list[Path]] = {}
    for path in sorted((results / "part_vectors" / collection).glob("[!.]*-of-*"), key=_part_of):
        divisions.setdefault(_part_of(path)[1], []).append(path)
    complete = [paths for parts, paths in divisions.items() if len(paths) == parts]
    complete += [[whole]] if whole.is_dir() else []
    return max(complete, key=lambda paths: max(path.stat().st_mtime for path in paths), default=[])


def _part_of(folder: Path) -> tuple[int, int]:
    return part_from(folder.name)


def _remedy(missing: Path) -> str:
    return (
        f"run: snakemake --cores 2 [--configfile FILE --] {missing}; another experiment's folder is named by --results"
    )


def _model(arguments: argparse.Namespace, results: Path) -> Path:
    """Return the folder of the model that reads the queries."""
    if arguments.model:
        return trained_model(arguments.model)
    if not arguments.lang:
        raise WrongArguments("which language?", where="--lang", hint="add --lang CODE, or --model FOLDER")
    return query_model(results, arguments.lang, arguments.method or "", arguments.seed)


def shown(query: tuple[str, str], hits: "list[Hit]") -> Answer:
    """Return the answer to a query (id, text) as programs read it."""
    passages: list[Passage] = []
    for rank, hit in enumerate(hits, start=1):
        words = [
            match._asdict() | {"word": hit.text[match.start : match.end], "similarity": round(match.similarity, 4)}
            for match in hit.matches
        ]
        passages.append(
            {
                "rank": rank,
                "id": hit.id,
                "score": round(hit.score, 6),
                "text": hit.text,
                "matches": words,
                "metadata": hit.metadata,
            }
        )
    return {"query_id": query[0], "query": query[1], "passages": passages}


def passage_as_text(passage: Passage) -> str:
    """Write one passage for people: rank, score, id, and the text around the matched words.

    >>> print(passage_as_text({"rank": 1, "id": "d1", "score": 3.25, "text": "the moon", "matches": []}))
    1. d1  3.2500
       the moon
    """
    import textwrap

    text, spans = (
        printable(passage["text"].replace("\t", " ")),
        [(match["start"], match["end"]) for match in passage["matches"]],
    )
    if len(text) > SHOWN_CHARACTERS:
        begin = max(0, min(spans)[0] - SHOWN_CHARACTERS // 4) if spans else 0
        end = begin + SHOWN_CHARACTERS
        spans = [(start - begin, stop - begin) for start, stop in spans if begin <= start and stop <= end]
        text = text[begin:end]
    lines = textwrap.wrap(mark_words(text, spans), max(columns_of_terminal() - 3, 20)) or [""]
    head = f"{passage['rank']}. {printable(passage['id'])}  {passage['score']:.4f}"
    return "\n".join([head, *(f"   {line}" for line in lines)])


FINDERS = {"index": in_index, "documents": in_documents, "collection": in_collection}
