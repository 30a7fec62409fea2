"""Plan with Snakemake in processes of their own, quickly: Snakemake is imported once, by a server that forks them.

Each plans as `python -m snakemake --dry-run ...` would: same arguments, folder, environment, output and exit status.
The library is not imported before, as a workspace may have a changed copy of it.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
from functools import cache


def plan(command, folder, environment):
    """Return what a command of Snakemake, of `snakemake_command`, says without doing anything, and its exit status."""
    assert "--dry-run" in command, command
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        request = {"words": command[3:], "folder": str(folder), "environment": environment, "output": output.name}
        server = _server()
        print(json.dumps(request), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        return subprocess.CompletedProcess(command, status, output.read())


@cache
def _server():
    """Start the server of this process; it ends with it, when its input does."""
    # Python starts as in the processes that the server stands for; each has its own PYTHONPATH, and its folder
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONHASHSEED": "0"}
    return subprocess.Popen(
        [sys.executable, "-P", __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
    )


def _serve():
    from snakemake import cli  # takes half of the time of a short plan

    for line in sys.stdin:
        process = os.fork()
        if not process:
            try:
                _main(cli.main, **json.loads(line))
            except SystemExit as end:
                os._exit(_flushed(end.code or 0))
            except BaseException:
                traceback.print_exc()
                os._exit(_flushed(1))
            os._exit(_flushed(0))
        print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), flush=True)


def _main(main, words, folder, environment, output):
    nothing, written = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_APPEND)
    for descriptor, number in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(descriptor, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = [os.getcwd(), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = ["snakemake", *words]
    main()


def _flushed(code):
    sys.stdout.flush()
    sys.stderr.flush()
    return code if isinstance(code, int) else 1


if __name__ == "__main__":
    _serve()
