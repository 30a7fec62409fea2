"""Train a student of another language from sentence pairs and a teacher that reads English, without the workflow.

examples:
  optical distil data/zu.tsv --teacher results/teacher --to zulu
  optical distil data/en.txt data/zu.txt --teacher results/teacher --to zulu --settings '{steps: 50, seed: 2}'

The pairs are a table english<TAB>foreign, two files of lines, CSV, JSON Lines, a TMX file or a zip of OPUS. A tenth of
them, 200 at most, is held out and tells whether training helped. The workflow cleans the pairs, too, and compares
methods, languages and seeds.

A setting ten times outside the range that is usual for the teacher's size is refused, as in the workflow; with
--settings '{unusual_values: true, ...}' it only gives a warning.
"""

import argparse
import time

from optical.cli.arguments import WrongArguments, add_device_arguments, language_code, not_empty, start_device
from optical.program import add_base_argument, add_precision_argument, checkpoint_folder, yaml_value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `optical distil`."""
    bitext_help = "the pairs; or two files of lines, English first"
    parser.add_argument("bitext", nargs="+", type=not_empty, metavar="FILE", help=bitext_help)
    parser.add_argument("--teacher", required=True, metavar="FOLDER", help="late-interaction model that reads English")
    parser.add_argument("--to", type=not_empty, required=True, metavar="FOLDER", help="the student's folder")
    lang_help = "what CSV, JSON Lines, TMX or a zip of OPUS call the language"
    parser.add_argument("--lang", type=language_code, metavar="CODE", help=lang_help)
    settings_help = (
        "steps, learning_rate, objectives, unusual_values and others, as YAML (default: what fits the teacher)"
    )
    parser.add_argument("--settings", type=yaml_value, default={}, metavar="YAML", help=settings_help)
    checkpoints_help = "save checkpoints below it; the same command goes on from them"
    parser.add_argument("--checkpoints", type=checkpoint_folder, metavar="FOLDER", help=checkpoints_help)
    add_base_argument(parser)
    add_device_arguments(parser, "auto")
    add_precision_argument(parser)


def run(arguments: argparse.Namespace) -> None:
    """Train the student and say what it has gained."""
    if len(arguments.bitext) > 2:
        raise WrongArguments("one file of sentence pairs, or two of lines", where="FILE", hint="English first")
    start_device(arguments.device, arguments.threads)
    from optical.config.bitext import BitextSource
    from optical.training.distillation import distil

    keys = ("english", "foreign") if len(arguments.bitext) == 2 else ("pairs",)
    pairs = BitextSource(**dict(zip(keys, arguments.bitext, strict=True)))
    started = time.monotonic()
    names = ("teacher", "to", "settings", "device", "precision", "base", "checkpoints")
    how = {name: getattr(arguments, name) for name in names}
    print(distil(pairs=pairs, lang=arguments.lang or "", **how))
    print(
        f"{time.monotonic() - started:.0f} s; next: optical index build FILE --model {arguments.to} "
        f"--teacher {arguments.teacher} --to INDEX"
    )
