"""What every command-line program of the workflow shares: arguments, help, log, one-line errors."""

import argparse
import json
import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from optical.errors import ConfigError, OpticalError
from optical.runtime.signals import answered, leave
from optical.runtime.startup import prepare_process

log = logging.getLogger("optical")


class Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keeps the lines of a description; shows no default of what must be given, or is empty when left out."""

    def _get_help_string(self, action: argparse.Action) -> str:
        silent = action.default is None or action.default is False or action.default in ("", [], {})
        return action.help or "" if silent else super()._get_help_string(action) or ""


class Parser(argparse.ArgumentParser):
    """Takes `@FILE` for the words of a file, one a line, which `optical.plan.arguments` writes.

    argparse's own way of that takes a word of the file that begins with @ for another file, and splits words at the
    line separators of Unicode.
    """

    def parse_known_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        given = sys.argv[1:] if args is None else args
        words = [word for text in given for word in (self._words_of(text[1:]) if text.startswith("@") else [text])]
        return super().parse_known_args(words, namespace)

    def _words_of(self, path: str) -> list[str]:
        try:
            lines = Path(path).read_text(encoding="utf-8").split("\n")
        except OSError as error:
            self.error(f"cannot read {path}: {error.strerror}")
        lines = lines[:-1] if lines[-1] == "" else lines
        return [json.loads(line) if line.startswith('"') else line for line in lines]


def program(description: str | None, out: str | None = None) -> argparse.ArgumentParser:
    """Return a parser with the options that every program has; `@FILE` stands for the lines of a file.

    `out` is the help of `--out`, where a program has one output.
    """
    parser = Parser(description=description, formatter_class=Help, allow_abbrev=False)
    parser.add_argument("--log", metavar="FILE", help="write the log here too")
    if out:
        parser.add_argument("--out", required=True, metavar="PATH", help=out)
    return parser


def add_machine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where and how fast a model runs."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    add_precision_argument(parser)
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")


def add_precision_argument(parser: argparse.ArgumentParser) -> None:
    """Add the precision of a model's matrix products."""
    precision_help = "of matrix products; auto: bf16 where that is faster"
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16", "auto"), help=precision_help)


def add_base_argument(parser: argparse.ArgumentParser) -> None:
    """Add where the base of a model lies that is stored as changes to it."""
    parser.add_argument(
        "--base", metavar="FOLDER", help="where the base of a model that is stored as changes lies, if it was moved"
    )


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every program that trains: settings, seed, machine, checkpoints."""
    parser.add_argument("--settings", type=yaml_value, required=True, help="what decides the result, as YAML or JSON")
    parser.add_argument(
        "--checkpoints", metavar="FOLDER", type=checkpoint_folder, help="save and resume below it, as OUT is called"
    )
    parser.add_argument("--checkpoint-minutes", type=float, default=10.0)
    parser.add_argument("--checkpoint-steps", type=int, default=0, help="0: by minutes alone")
    parser.add_argument(
        "--runtime-minutes",
        type=float,
        default=0.0,
        help="granted by the cluster: save and exit with 75 before; 0: none",
    )
    add_machine_arguments(parser)


def add_figure_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of every program that draws methods by language."""
    parser.add_argument("--methods", nargs="+", required=True, help="all methods of the experiment, in their order")
    parser.add_argument("--names", type=yaml_value, required=True, help="language code -> title of its panel")


def jobs_from(arguments: argparse.Namespace, needed: Sequence[str]) -> list[dict[str, Any]]:
    """Return the jobs that `--jobs` lists; raise `ConfigError` where one lacks what is needed, before any is done."""
    jobs, hint = arguments.jobs, f"a job needs {', '.join(needed)}"
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        raise ConfigError("no list of jobs", where="--jobs", hint=f"[{{...}}, {{...}}]; {hint}")
    for job in jobs:
        if missing := [key for key in needed if job.get(key) in (None, "")]:
            raise ConfigError(f"a job lacks {', '.join(missing)}", where=job.get(needed[0]) or "", hint=hint)
    return jobs


def checkpoint_folder(text: str) -> str:
    """Return where checkpoints lie: below OPTICAL_CHECKPOINTS, where results/ is on a disk that a job does not keep."""
    return os.path.join(os.environ.get("OPTICAL_CHECKPOINTS", ""), text)


def yaml_value(text: str) -> object:
    """Parse an argument that holds a piece of config; YAML takes 3e-4 for text, which settings read as a number.

    >>> yaml_value("{steps: 100, learning_rate: 3.0e-4}")
    {'steps': 100, 'learning_rate': 0.0003}
    """
    try:
        return json.loads(text)  # what the workflow passes
    except json.JSONDecodeError:
        pass
    import yaml  # here: `optical --help` needs none

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise argparse.ArgumentTypeError(f"not YAML: {' '.join(str(error).split())}") from error


def run_program(main: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser) -> None:
    """Parse the arguments and call `main`; an `OpticalError` ends in one line and exit status 1, not a traceback.

    SIGTERM ends it as an exception does, so that what is half written is removed; a training answers it itself.
    """
    prepare_process()
    arguments = parser.parse_args()
    _start_log(arguments.log)
    try:
        with answered(leave, signal.SIGTERM):
            main(arguments)
    except OpticalError as error:
        if os.environ.get("OPTICAL_TRACEBACK"):
            log.exception("traceback asked for")
        log.error("%s: %s", type(error).__name__, error)
        sys.exit(1)
    except Exception:
        log.exception("unexpected error; please report it with this log")
        sys.exit(1)


def _start_log(path: str | None) -> None:
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if os.environ.get("RANK", "0") != "0":  # of several processes of one training, the first speaks for all
        handlers[0].setLevel(logging.ERROR)
    elif path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
        if not sys.stderr.isatty():  # Snakemake shows the log of a failed job itself: say everything once
            handlers[0].setLevel(logging.ERROR)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    warnings.simplefilter("once")
    for chatty in ("urllib3", "filelock", "httpx", "bm25s", "transformers", "fontTools"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
