"""What tests of the command line share: results to work on, and the command itself."""

import pytest

from optical.cli.main import main
from support.toy_results import make_results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("results"))


@pytest.fixture
def optical(capsys):
    """Run a command; return exit code, output, error output."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as leaving:
            code = leaving.code
        return code, *capsys.readouterr()

    return run
