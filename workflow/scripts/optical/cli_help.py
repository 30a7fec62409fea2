"""How every program shows its help: examples as they were written, and the defaults that say something."""

import argparse


class Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keeps the lines of a description; shows no default of what must be given, or is empty when left out."""

    def _get_help_string(self, action: argparse.Action) -> str:
        silent = action.default is None or action.default is False or action.default in ("", [], {})
        return action.help if silent else super()._get_help_string(action)
