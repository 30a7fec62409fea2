"""Train a small translator, foreign -> English, from the bitext that the students see: the model of the NMT baseline.

Example: python workflow/scripts/train_translator.py --tokens tokens/sw --tokeniser encoder --encoder encoder \\
    --settings '{steps: 500, batch_size: 32, learning_rate: 3.0e-3}' --out translator
"""

import time

from optical.files import atomic_folder
from optical.program import add_training_arguments, log, program, run_program
from optical.runtime.machine import machine_from
from optical.runtime.provenance import write_provenance
from optical.training.checkpoints import Checkpoints, fingerprint
from optical.training.loop import save_curve, settings_from, train
from optical.translation.learning import AlignedBitext, TranslationLoss
from optical.translation.model import new_translator, save_translator, translator_settings


def main(arguments):
    started = time.monotonic()
    machine, values = machine_from(arguments), arguments.settings
    device = machine.start()
    settings, training = translator_settings(values), settings_from(values)
    bitext = AlignedBitext(arguments.tokens, values.get("alignment"))
    model = new_translator(settings, arguments.tokeniser, arguments.encoder, training.seed).to(device)
    log.info("%d pairs, %.1f M parameters", len(bitext), sum(weight.numel() for weight in model.parameters()) / 1e6)
    inputs = {"tokens": arguments.tokens, "tokeniser": arguments.tokeniser}
    inputs |= {"encoder": arguments.encoder} if arguments.encoder else {}
    checkpoints = Checkpoints(arguments.checkpoints, fingerprint(values, list(inputs.values()), __file__))
    loss = TranslationLoss(model, bitext, settings, training)
    curve = train(model, loss, training, machine, checkpoints, arguments.name)
    with atomic_folder(arguments.out) as folder:
        save_translator(model, arguments.tokeniser, folder)
        save_curve(folder, curve)
        write_provenance(folder, values, inputs, started, device)
    checkpoints.remove()


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="from tokenise_bitext")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="with which the bitext was tokenised")
    parser.add_argument("--encoder", metavar="FOLDER", help="a BERT of that tokeniser, to start from")
    parser.add_argument("--name", default="translator", help="shown beside the progress")
    add_training_arguments(parser)
    run_program(main, parser)
