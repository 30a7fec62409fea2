"""Pre-train a small multilingual encoder from scratch by masked language modelling.

Example: python workflow/scripts/pretrain_encoder.py --tokeniser tokeniser --text tokens --out encoder \
    --settings '{steps: 400, batch_size: 128, architecture: {layers: 2}, encoder: {dimension: 64}}'
"""

import time

from optical.checkpoints import Checkpoints, fingerprint
from optical.encoder import Encoder, settings_from_config
from optical.files import atomic_folder
from optical.machine import machine_from
from optical.pretraining import Architecture, MaskedLanguageModel, PretrainingLoss, new_transformer
from optical.program import add_training_arguments, log, program, run_program
from optical.provenance import write_provenance
from optical.tokens import TokenFile, load_tokeniser
from optical.training import settings_from, train


def main(arguments):
    started = time.monotonic()
    machine, values = machine_from(arguments), arguments.settings
    device = machine.start()
    settings, encoder_settings = settings_from(values), settings_from_config(values["encoder"])
    vocabulary_size = load_tokeniser(arguments.tokeniser).get_vocab_size()
    longest = max(encoder_settings.query_length, encoder_settings.document_length)
    transformer = new_transformer(Architecture(**values["architecture"]), vocabulary_size, longest, settings.seed)
    model = MaskedLanguageModel(Encoder(transformer, arguments.tokeniser, encoder_settings)).to(device)
    log.info("%.1f M parameters", sum(weight.numel() for weight in transformer.parameters()) / 1e6)
    inputs = {"tokeniser": arguments.tokeniser, "text": arguments.text}
    checkpoints = Checkpoints(arguments.checkpoints, fingerprint(values, list(inputs.values())))
    loss = PretrainingLoss(model, TokenFile(arguments.text), settings, values["mask_share"])
    train(model, loss, settings, machine, checkpoints, "pre-training")
    with atomic_folder(arguments.out) as folder:
        model.encoder.save_transformer(folder)
        write_provenance(folder, values, inputs, started)
    checkpoints.remove()


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--text", required=True, metavar="FOLDER", help="token file")
    add_training_arguments(parser)
    run_program(main, parser)
