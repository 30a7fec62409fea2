"""The command `optical` and its subcommands.

    optical --help
    optical align --help

Nothing heavy is imported before a command needs it: the help appears at once.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from optical import __version__
from optical.cli import align, check, distil, doctor, export, index, languages, merge, new, score, search, serve
from optical.cli.arguments import WrongArguments
from optical.cli.terminal import printable
from optical.errors import OpticalError
from optical.program import Help
from optical.runtime.signals import answered, leave
from optical.runtime.startup import prepare_process

DESCRIPTION = "Cross-lingual retrieval by optimal-transport distillation: distil, align, search, serve, export."
EPILOG = """examples:
  optical doctor
  optical search --help

exit codes: 0 done, 1 something is wrong with files or the machine, 2 wrong arguments, 75 interrupted and saved (the
same command goes on), 130 interrupted"""
COMMANDS = {
    "new": new,
    "check": check,
    "distil": distil,
    "align": align,
    "index": index,
    "search": search,
    "serve": serve,
    "score": score,
    "export": export,
    "merge": merge,
    "languages": languages,
    "doctor": doctor,
}


class Parser(argparse.ArgumentParser):
    """A parser that reports an error in one line with a hint."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments in one line and leave with exit code 2."""
        self.exit(2, f"{self.prog}: {message}. Hint: {self.prog} --help shows an example\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = Parser(prog="optical", description=DESCRIPTION, epilog=EPILOG, formatter_class=Help, allow_abbrev=False)
    top.add_argument("--version", action="version", version=f"optical {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        first, _, rest = (module.__doc__ or "").partition("\n")
        command = commands.add_parser(
            name, help=first, description=first, epilog=rest.strip("\n"), formatter_class=Help, allow_abbrev=False
        )
        command.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; an error that a user can fix is one line on the error stream."""
    prepare_process()
    words = sys.argv[1:] if argv is None else argv
    top = parser()
    if unreadable := [word for word in words if not _is_text(word)]:
        encoding = sys.getfilesystemencoding()
        top.exit(2, f"optical: {unreadable[0]!a} is not {encoding}. Hint: write it in UTF-8, or set PYTHONUTF8=1\n")
    arguments = top.parse_args(words)
    if sys.stdout is None:  # closed before Python started
        top.exit(1, "optical: the output is closed. Hint: send it to a file, or to /dev/null\n")
    try:
        with answered(leave, signal.SIGTERM):
            code = arguments.run(arguments) or 0
        sys.stdout.flush()  # what cannot be written is to be told here, and not at the end of Python
        return code
    except BrokenPipeError:  # as in `optical languages | head`
        forget_output()
        return 0
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        if arguments.traceback or os.environ.get("OPTICAL_TRACEBACK"):
            raise
        print(f"optical {arguments.command}: {printable(complaint(error))}", file=sys.stderr)
        if isinstance(error, OSError) and error.filename is None:
            forget_output()
        return 2 if isinstance(error, WrongArguments) else 1


def forget_output() -> None:
    """Keep Python from writing again at its end what it could not write."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_text(word: str) -> bool:
    """Return whether an argument could be read: Python keeps bytes that it cannot read as halves of characters."""
    return not any("\ud800" <= sign <= "\udfff" for sign in word)


def complaint(error: Exception) -> str:
    """Return an error as one line with a hint, including errors of libraries about damaged files.

    >>> complaint(FileExistsError(17, "File exists", "out"))
    'File exists [out]. Hint: check the path, and who may write there'
    """
    if isinstance(error, OSError) and error.strerror:
        place = error.filename2 or error.filename or "output"
        return f"{error.strerror} [{place}]. Hint: check the path, and who may write there"
    if isinstance(error, ImportError):
        return f"{error}. Hint: pip install -e . in the environment of {sys.executable}; optical doctor lists the rest"
    if isinstance(error, UnicodeEncodeError):
        return f"{error.encoding} cannot write what is to be printed. Hint: set PYTHONIOENCODING=utf-8"
    text = " ".join(str(error).split())
    if isinstance(error, OpticalError):
        return text if error.hint else f"{text}. Hint: the file may be damaged; make or fetch it again"
    return f"{type(error).__name__}: {text}. Hint: a file may be damaged; --traceback shows where it was read"


if __name__ == "__main__":
    sys.exit(main())
