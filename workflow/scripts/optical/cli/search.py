"""Search an encoded collection with a query in any language that has a student.

examples:
  optical search --collection atlas --lang sw "lugha ya Ufaransa"
  optical search --collection atlas --lang sw --queries results/collections/atlas/queries/sw.tsv --out run.trec

The words of a passage that the query matched are bold, or in square brackets where there is no terminal.
The collection is a prepared folder, or its name under RESULTS/collections; its vectors lie under RESULTS/vectors.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from optical.cli.arguments import WrongArguments, device, students_there, trained_model, whole_number
from optical.cli.terminal import columns_of_terminal, mark_words, print_json
from optical.errors import ConfigError, DataError
from optical.files import open_text, read_rows
from optical.program import add_base_argument
from optical.runtime.provenance import check_belongs
from optical.search.parts import part_from

if TYPE_CHECKING:
    from torch import Tensor

    from optical.corpora.passages import Document
    from optical.models.encoder import Encoder
    from optical.search.exact import Hits

SHOWN_CHARACTERS = 400
MEMORY_MB = 1024


class Place(NamedTuple):
    """Where what a search needs lies."""

    documents: Path
    shards: list[Path]
    model: Path
    teacher: Path | None  # that encoded the documents, where it was trained here


class Passage(TypedDict):
    """A passage that a query leads to, with the words that it matches."""

    rank: int
    id: str
    score: float
    text: str
    matches: list[dict[str, Any]]


class Answer(TypedDict):
    """A query and its passages, the best first."""

    query_id: str
    query: str
    passages: list[Passage]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical search`."""
    parser.add_argument("query", nargs="?", help="the query's text")
    parser.add_argument("--queries", metavar="FILE", help="many queries instead: query_id<TAB>text")
    parser.add_argument("--collection", required=True, metavar="C", help="a prepared collection: folder or name")
    parser.add_argument("--results", metavar="FOLDER", help="of the experiment (default: the collection's, or results)")
    parser.add_argument("--lang", metavar="CODE", help="language of the query; en is read by the teacher")
    parser.add_argument("--method", default="optical", help="whose student reads it; or zero-shot, or extended")
    parser.add_argument("--seed", type=int, default=1, help="which of its students")
    parser.add_argument("--model", metavar="FOLDER", help="read the query with this model instead")
    add_base_argument(parser)
    parser.add_argument("--top", type=whole_number, default=10, metavar="N", help="how many passages")
    parser.add_argument("--out", metavar="FILE", help="with --queries: write a TREC run")
    parser.add_argument("--json", action="store_true", help="print one JSON object a query, for programs")
    parser.add_argument("--device", default="cpu", type=device, help="cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=whole_number, default=os.cpu_count() or 1, help="CPU threads")


def run(arguments: argparse.Namespace) -> None:
    """Search and print ranked passages or JSON, or write a run."""
    queries = read_queries(arguments)
    place = locate(arguments)
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # idle threads sleep, not spin, where others work too
    import torch

    from optical.models.folders import load_encoder
    from optical.search.exact import to_run
    from optical.search.runs import write_run
    from optical.search.vectors import Collection

    if arguments.device != "cpu" and int(arguments.device.partition(":")[2] or 0) >= torch.cuda.device_count():
        hint = "leave --device out to search on the processor"
        raise ConfigError(f"no such device: torch sees {torch.cuda.device_count()}", where=arguments.device, hint=hint)
    torch.set_num_threads(min(arguments.threads, os.cpu_count() or 1))  # thousands would end the process
    if made_by := Collection(place.shards).encoder:
        check_belongs(place.model, place.shards[0], made_by)
    encoder = load_encoder(place.model, base=arguments.base).to(arguments.device)
    started = time.monotonic()
    hits, answers = answer(encoder, queries, place, arguments.top, with_passages=arguments.json or not arguments.out)
    seconds = time.monotonic() - started
    if arguments.out:
        write_run(arguments.out, to_run([query_id for query_id, _ in queries], hits), tag=arguments.method)
    for result in answers:
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
        raise WrongArguments("where should the results go?", where="--queries", hint="add --out run.trec or --json")
    if query:
        return [("1", query)]
    queries = [(row[0], row[1]) for row in read_rows(arguments.queries, columns=2)]
    if not queries:
        raise DataError("no queries", where=arguments.queries, hint="one a line: query_id<TAB>text")
    for query_id, text in queries:
        if not text.strip():
            raise DataError(f"query {query_id!r} has no words", where=arguments.queries, hint="leave its line out")
        if query_id.split() != [query_id]:
            hint = "one word a query: a run has it in a column"
            raise DataError(f"{query_id!r} is no query id", where=arguments.queries, hint=hint)
    twice = [name for name, count in Counter(name for name, _ in queries).items() if count > 1]
    if twice:
        raise DataError(f"query id {twice[0]!r} is there twice", where=arguments.queries, hint="give each its own id")
    return queries


def locate(arguments: argparse.Namespace) -> Place:
    """Find the collection, its vectors and the model; say what to run for one that is missing."""
    folder = Path(arguments.collection)
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
    vectors, parts = results / "vectors" / folder.name, results / "part_vectors" / folder.name
    shards = [vectors] if vectors.is_dir() else newest_parts(parts)
    if not shards:
        raise DataError("the collection is not encoded", where=vectors, hint=_remedy(vectors))
    model, teacher = _model(arguments, results), results / "teacher"
    if student_vectors := _own_vectors(model, results, folder.name):
        return Place(folder / "documents.jsonl", [student_vectors], model, None)
    trained_here = (teacher / "tokenizer.json").is_file()
    return Place(folder / "documents.jsonl", shards, model, teacher if trained_here else None)


def _own_vectors(model: Path, results: Path, collection: str) -> Path | None:
    """Return the vectors of documents that a student has read itself; None where that is left to the teacher."""
    students = (results / "students").resolve()
    if not model.resolve().is_relative_to(students):
        return None
    vectors = results / "student_vectors" / collection / model.resolve().relative_to(students)
    return vectors if vectors.is_dir() else None


def newest_parts(folder: Path) -> list[Path]:
    """Return the vectors of a collection's parts in their order; of several divisions, which a changed config leaves
    behind, the one that was made last among those that are complete."""
    divisions: dict[int, list[Path]] = {}
    for path in sorted(folder.glob("[!.]*-of-*"), key=_part_of):
        divisions.setdefault(_part_of(path)[1], []).append(path)
    complete = [paths for parts, paths in divisions.items() if len(paths) == parts]
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
    teacher = arguments.lang == "en" or arguments.method == "zero-shot"
    student = results / "students" / arguments.lang / arguments.method / str(arguments.seed)
    if arguments.method == "extended":
        student = results / "extended" / arguments.lang
    model = results / "teacher" if teacher else student
    if not (model / "config.json").is_file():
        hint = f"{students_there(results, arguments.lang)}; or name a folder by --model"
        raise DataError("no such model", where=model, hint=hint)
    return model


def answer(
    encoder: "Encoder", queries: Sequence[tuple[str, str]], place: Place, top: int, with_passages: bool
) -> tuple[list["Hits"], list["Answer"]]:
    """Search; return the hits of each query and, if wanted, their passages with the matched words."""
    from optical.corpora.passages import text_of
    from optical.search.encoding import encode_queries
    from optical.search.exact import search
    from optical.search.matches import matches, vectors_of
    from optical.search.vectors import Collection
    from optical.text.tokeniser import load_tokeniser

    texts = [text for _, text in queries]
    vectors_QMD, mask_QM = encode_queries(encoder, texts)
    device = str(next(encoder.parameters()).device)
    hits = search(vectors_QMD, mask_QM, place.shards, top, MEMORY_MB, device=device)
    if not with_passages:
        return hits, []
    wanted = {name for of_query in hits for name in of_query.ids}
    documents = read_documents(place.documents, wanted)
    document_vectors = vectors_of(Collection(place.shards), sorted(wanted)) if wanted else {}
    tokeniser = load_tokeniser(place.teacher) if place.teacher else encoder.tokeniser
    answers: list[Answer] = []
    for (query_id, text), of_query, vectors_MD, mask_M in zip(queries, hits, vectors_QMD, mask_QM, strict=True):
        tokens, content_M = query_tokens(encoder, text, mask_M)
        passages: list[Passage] = []
        for rank, (name, score) in enumerate(zip(of_query.ids, of_query.scores.tolist(), strict=True), start=1):
            shown = text_of(documents[name])
            marked = matches(encoder, tokeniser, tokens, vectors_MD[content_M], shown, document_vectors[name])
            words = [
                match._asdict() | {"word": shown[match.start : match.end], "similarity": round(match.similarity, 4)}
                for match in marked
            ]
            passages.append({"rank": rank, "id": name, "score": round(score, 6), "text": shown, "matches": words})
        answers.append({"query_id": query_id, "query": text, "passages": passages})
    return hits, answers


def query_tokens(encoder: "Encoder", text: str, mask_M: "Tensor") -> tuple[list[str], "Tensor"]:
    """Return the query's own tokens and where they are among its vectors (bool, (M,)): no [CLS], marker or [MASK]."""
    import torch

    from optical.models.encoder import QUERY
    from optical.text.tokeniser import tokenise

    ids_BL, attention_BL, keep_BL = encoder.frame(list(tokenise(encoder.tokeniser, [text])), QUERY)
    kept = ids_BL[0][keep_BL[0]]
    content = encoder.content_mask(kept[None], attention_BL[0][keep_BL[0]][None])[0]
    content_M = torch.zeros(len(mask_M), dtype=torch.bool)
    content_M[: len(content)] = content
    return [str(encoder.tokeniser.id_to_token(token)) for token in kept[content].tolist()], content_M


def read_documents(path: Path, wanted: set[str]) -> dict[str, "Document"]:
    """Return some documents of a collection by id, reading no further than the last of them."""
    import json

    documents: dict[str, Document] = {}
    first = '{"id": "'  # how the collection's lines begin: an id is compared before its line is parsed
    with open_text(path) as file:
        for line in file:
            if len(documents) == len(wanted):
                break
            if line.startswith(first):
                name = line[len(first) : line.find('"', len(first))]
                if "\\" not in name and name not in wanted:  # with a backslash it is not the id but its escaped form
                    continue
            document = json.loads(line)
            if document["id"] in wanted:
                documents[document["id"]] = document
    if missing := sorted(wanted - documents.keys()):
        hint = "the collection has changed since: encode it again"
        raise DataError(f"no document {missing[0]}, though it has vectors", where=path, hint=hint)
    return documents


def passage_as_text(passage: Passage) -> str:
    """Write one passage for people: rank, score, id, and the text around the matched words.

    >>> print(passage_as_text({"rank": 1, "id": "d1", "score": 3.25, "text": "the moon", "matches": []}))
    1. d1  3.2500
       the moon
    """
    import textwrap

    text, spans = passage["text"], [(match["start"], match["end"]) for match in passage["matches"]]
    if len(text) > SHOWN_CHARACTERS:
        begin = max(0, min(spans)[0] - SHOWN_CHARACTERS // 4) if spans else 0
        end = begin + SHOWN_CHARACTERS
        spans = [(start - begin, stop - begin) for start, stop in spans if begin <= start and stop <= end]
        text = text[begin:end]
    lines = textwrap.wrap(mark_words(text, spans), columns_of_terminal() - 3) or [""]
    head = f"{passage['rank']}. {passage['id']}  {passage['score']:.4f}"
    return "\n".join([head, *(f"   {line}" for line in lines)])
