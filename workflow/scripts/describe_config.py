"""Write the tables of keys into config/README.md, from the schema.

Example:
    python workflow/scripts/describe_config.py --schema workflow/schemas/config.schema.yaml --page config/README.md
"""

import argparse
from pathlib import Path

import yaml

from optical.config.page import page_with_tables
from optical.files import write_lines
from optical.program import program, run_program


def main(arguments: argparse.Namespace) -> None:
    """Replace what stands between the page's markers."""
    schema = yaml.safe_load(Path(arguments.schema).read_text(encoding="utf-8"))
    page = page_with_tables(Path(arguments.page).read_text(encoding="utf-8"), schema)
    write_lines(arguments.page, page.rstrip("\n").split("\n"))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--schema", required=True, metavar="FILE", help="JSON schema as YAML")
    parser.add_argument("--page", required=True, metavar="FILE", help="Markdown page with the markers of the tables")
    run_program(main, parser)
