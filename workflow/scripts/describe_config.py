"""Write what the classes of the config say of its keys: the tables of a page, and the JSON schema for editors.

Example:
    python workflow/scripts/describe_config.py --page config/README.md --schema workflow/schemas/config.schema.json
"""

from pathlib import Path

from optical.config.page import page_with_tables
from optical.config.schema import schema_lines
from optical.files import write_lines
from optical.program import program, run_program


def main(arguments):
    """Replace what stands between the page's markers, and write the schema."""
    page = page_with_tables(Path(arguments.page).read_text(encoding="utf-8"))
    write_lines(arguments.page, page.rstrip("\n").split("\n"))
    write_lines(arguments.schema, schema_lines())


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--page", required=True, metavar="FILE", help="Markdown page with the markers of the tables")
    parser.add_argument("--schema", required=True, metavar="FILE", help="JSON schema of a config file")
    run_program(main, parser)
