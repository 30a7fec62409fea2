"""Write a student and its teacher as other programs load them: PyLate, sentence-transformers, Stanford ColBERT, ONNX.

examples:
  optical export --model results/students/sw/optical/1 --teacher results/teacher --to exported/sw
  optical export --model results/students/sw/optical/1 --teacher results/teacher --to exported/onnx --format onnx
  optical export --model results/students/sw/optical/1 --teacher results/teacher --to exported/sw --push me/sw

The folder gets `query/` (the student), `document/` (the teacher) and a model card (README.md) from what is recorded.
With --push it is also uploaded to a new repository of the Hugging Face hub, private unless --public is given.
"""

import argparse
import logging
from pathlib import Path
from typing import Any

from optical.cli.arguments import WrongArguments, language_code, not_empty
from optical.config.model_folders import json_of
from optical.config.names import MULTILINGUAL
from optical.errors import DataError
from optical.fetch.publish import check_push, push_folder
from optical.files import read_json
from optical.models.origin import Origin, check_reader, origin_of
from optical.program import add_base_argument

FORMATS = ("pylate", "stanford", "onnx")  # of optical.models.export, which is slow to import


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical export`."""
    parser.add_argument("--model", required=True, metavar="FOLDER", help="the student: reads queries")
    parser.add_argument("--teacher", required=True, metavar="FOLDER", help="reads documents")
    add_base_argument(parser)
    parser.add_argument("--to", type=not_empty, required=True, metavar="FOLDER", help="a new folder for the export")
    parser.add_argument("--format", default="pylate", choices=FORMATS, help="pylate also serves sentence-transformers")
    parser.add_argument(
        "--lang", type=language_code, metavar="CODE", help="language of the queries (default: from the model's folder)"
    )
    parser.add_argument("--scores", metavar="FILE", help="table of scores for the model card")
    parser.add_argument("--push", metavar="OWNER/NAME", help="also upload to this new model repository; needs HF_TOKEN")
    parser.add_argument("--public", action="store_true", help="everyone can read the repository (default: only you)")
    parser.add_argument("--bitext-report", metavar="FILE", help="for the card (default: the experiment's report.json)")


def run(arguments: argparse.Namespace) -> None:
    """Export, upload if asked to, and say where."""
    if arguments.push:
        check_push(arguments.push)
    elif arguments.public:
        raise WrongArguments("--public is only for --push", hint="add --push OWNER/NAME")
    from optical.models.export import export
    from optical.models.folders import load_encoder
    from optical.report.model_card import model_card, scores_of_model

    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # which warns of packages that no encoder needs
    origin = origin_of(Path(arguments.model))
    lang = arguments.lang or origin.lang
    scored = "" if lang == MULTILINGUAL else lang
    scores = scores_of_model(arguments.scores, scored, origin.method, origin.seed) if arguments.scores else []
    bitext = _bitext_report(arguments.bitext_report, origin)
    check_reader(arguments.model, arguments.teacher)
    student = load_encoder(arguments.model, base=arguments.base)
    teacher = load_encoder(arguments.teacher)
    sides = {"query": Path(arguments.model), "document": Path(arguments.teacher)}
    provenance = {
        name: json_of(sides[side], "provenance.json") for name, side in (("student", "query"), ("teacher", "document"))
    }
    settings = student.settings.model_dump() | {"dimension": student.dimension}
    card = model_card(arguments.format, settings, lang, origin.method, provenance, bitext, scores, arguments.push or "")
    export(student, teacher, arguments.to, arguments.format, card, sides)
    print(f"{arguments.to}: {arguments.format}; how to use it is in {Path(arguments.to) / 'README.md'}")
    if arguments.push:
        address = push_folder(arguments.to, arguments.push, arguments.public)
        print(f"{address}: uploaded, {'public' if arguments.public else 'private'}")


def _is_report(report: object) -> bool:
    """Return whether an object from a file has what the card says of the sentence pairs."""
    sources = report.get("sources") if isinstance(report, dict) and "train" in report else None
    return isinstance(sources, list) and all(
        isinstance(row, dict) and {"name", "kept"} <= row.keys() for row in sources
    )


def _bitext_report(path: str | None, origin: Origin) -> dict[str, Any] | None:
    """Return the report of the sentence pairs: the file asked for, else that of the experiment, if there is one."""
    if path:
        report = read_json(path)
        if not _is_report(report):
            raise DataError("no report of cleaned bitext", where=path, hint="results/bitext/LANG/report.json is one")
        return report
    beside = origin.results and origin.results / "bitext" / origin.lang / "report.json"
    return read_json(beside) if beside and beside.is_file() else None
