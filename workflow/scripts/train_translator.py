"""Train a small translator, foreign -> English, from the bitext that the students see: the model of the NMT baseline.

Example: python workflow/scripts/train_translator.py --tokens tokens/sw --tokeniser encoder --encoder encoder \\
    --settings '{steps: 500, batch_size: 32, learning_rate: 3.0e-3}' --out translator
"""

from optical.config.fitting import fitted_settings
from optical.config.training import TranslatorTraining
from optical.program import add_training_arguments, log, program, run_program
from optical.runtime.machine import machine_from
from optical.training.session import Session
from optical.translation.learning import AlignedBitext, TranslationLoss
from optical.translation.model import new_translator, saving


def main(arguments):
    start = arguments.encoder or arguments.tokeniser
    settings = fitted_settings(TranslatorTraining, "translator", arguments.settings, start)
    inputs = {"tokens": arguments.tokens, "tokeniser": arguments.tokeniser, "encoder": arguments.encoder}
    session = Session(settings, inputs, machine_from(arguments), arguments.checkpoints, __file__)
    bitext = AlignedBitext(arguments.tokens, settings.alignment)
    model = new_translator(settings, arguments.tokeniser, arguments.encoder).to(session.device)
    log.info("%d pairs, %.1f M parameters", len(bitext), sum(weight.numel() for weight in model.parameters()) / 1e6)
    loss = TranslationLoss(model, bitext, settings)
    session.train(model, loss, arguments.out, saving(model, arguments.tokeniser, bitext.ids_read()))


if __name__ == "__main__":
    parser = program(__doc__, out="the model's folder")
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="from tokenise_bitext")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="with which the bitext was tokenised")
    parser.add_argument("--encoder", metavar="FOLDER", help="a BERT of that tokeniser, to start from")
    add_training_arguments(parser)
    run_program(main, parser)
