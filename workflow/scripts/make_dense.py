"""Let an encoder read a text into one vector, as its authors do: the mean of its tokens', with its own prompts.

Example: python workflow/scripts/make_dense.py --encoder results/models/e5 --settings '{query_prompt: "query: "}' \\
    --out results/dense
"""

from optical.config.encoder import Dense
from optical.files import atomic_folder
from optical.models.dense import DenseEncoder, own_dense_settings
from optical.models.folders import load_transformer
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    settings = own_dense_settings(arguments.encoder, Dense.read(arguments.settings, "dense"))
    log.info("prompts: %r and %r", settings.query_prompt, settings.document_prompt)
    with atomic_folder(arguments.out) as folder:
        DenseEncoder(load_transformer(arguments.encoder), arguments.encoder, settings).save(folder)


if __name__ == "__main__":
    parser = program(__doc__, out="the model's folder")
    parser.add_argument("--encoder", required=True, metavar="FOLDER")
    parser.add_argument("--settings", type=yaml_value, default={}, help="the block `dense` of the config")
    run_program(main, parser)
