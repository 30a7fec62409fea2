"""Give the teacher subwords of a language, which start as their translations: what its students start from.

Example: python workflow/scripts/extend_vocabulary.py --teacher teacher --bitext train.tsv --out extended \\
    --settings '{pieces: 8000, alignment: {aligner: ibm2}}'
"""

import time

from optical.config.training import VocabularySettings
from optical.files import atomic_folder, read_rows
from optical.models.folders import load_encoder
from optical.models.vocabulary import extend_vocabulary
from optical.program import add_base_argument, program, run_program, yaml_value
from optical.runtime.provenance import write_provenance


def main(arguments):
    started = time.monotonic()
    settings = VocabularySettings.read(arguments.settings, "settings")
    encoder = load_encoder(arguments.teacher, base=arguments.base)
    pairs = [(english, foreign) for english, foreign, *_ in read_rows(arguments.bitext, columns=2)]
    extend_vocabulary(encoder, pairs, settings.pieces, settings.alignment)
    with atomic_folder(arguments.out) as folder:
        encoder.save(folder)
        inputs = {"teacher": arguments.teacher, "bitext": arguments.bitext}
        write_provenance(folder, settings.model_dump(mode="json"), inputs, started)


if __name__ == "__main__":
    parser = program(__doc__, out="the folder")
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="english<TAB>foreign")
    parser.add_argument("--settings", type=yaml_value, required=True, help="pieces, alignment")
    add_base_argument(parser)
    run_program(main, parser)
