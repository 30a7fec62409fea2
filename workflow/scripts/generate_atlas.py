"""Write the bundled collection `atlas`: bitext, text, documents, queries, judgements and training triples. No network.

python workflow/scripts/generate_atlas.py --settings '{seed: 1, documents: 1800}' --out results/atlas
"""

from optical.atlas.generate import generate_atlas
from optical.config.atlas import AtlasSettings
from optical.files import atomic_folder
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    with atomic_folder(arguments.out) as folder:
        counts = generate_atlas(folder, AtlasSettings.read(arguments.settings, "atlas"))
    for part, count in counts.items():
        log.info("%s: %s", part, count)


parser = program(__doc__, out="the folder")
parser.add_argument("--settings", type=yaml_value, default={}, metavar="YAML", help="the block atlas of the config")

if __name__ == "__main__":
    run_program(main, parser)
