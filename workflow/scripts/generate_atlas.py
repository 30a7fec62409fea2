"""Write the bundled collection `atlas`: bitext, text, documents, queries, judgements and training triples. No network.

python workflow/scripts/generate_atlas.py --seed 1 --settings '{documents: 1800}' --out results/atlas
"""

from argparse import Namespace
from pathlib import Path

from optical.atlas.generate import generate_atlas
from optical.files import atomic_folder
from optical.program import log, program, run_program, yaml_value


def main(arguments: Namespace) -> None:
    with atomic_folder(arguments.out) as folder:
        counts = generate_atlas(folder, arguments.seed, arguments.settings)
    for part, count in counts.items():
        log.info("%s: %s", part, count)


parser = program(__doc__)
parser.add_argument("--seed", type=int, required=True, help="every file is a function of the seed and the settings")
parser.add_argument(
    "--settings", type=yaml_value, default={}, metavar="YAML", help="sizes: see optical.atlas.generate.DEFAULTS"
)
parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")

if __name__ == "__main__":
    run_program(main, parser)
