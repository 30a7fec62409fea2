"""Pre-train a small multilingual encoder from scratch: masked language modelling, and objectives over sentence pairs.

Example: python workflow/scripts/pretrain_encoder.py --tokeniser tokeniser --text tokens --out encoder \\
    --settings '{steps: 400, batch_size: 128, architecture: {layers: 2}, encoder: {dimension: 64}}'

With pairs: --bitext tokens/bitext/sw tokens/bitext/de --settings '{objectives: {mlm: 1.0, tlm: 1.0}, ...}'
"""

import dataclasses
import time

from optical.errors import ConfigError
from optical.files import atomic_folder
from optical.models.encoder import Encoder, settings_from_config
from optical.program import add_training_arguments, log, program, run_program
from optical.runtime.machine import machine_from
from optical.runtime.provenance import write_provenance
from optical.text.token_files import TokenFile
from optical.text.tokeniser import load_tokeniser
from optical.training.checkpoints import Checkpoints, fingerprint
from optical.training.encoder import Architecture, MaskedLanguageModel, PretrainingLoss, new_transformer
from optical.training.encoder_pairs import MLM, PairLoss, PairTokens, pair_weights
from optical.training.loop import settings_from, train


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
    inputs |= {f"bitext {place}": folder for place, folder in enumerate(arguments.bitext)}
    checkpoints = Checkpoints(arguments.checkpoints, fingerprint(values, list(inputs.values()), __file__))
    objectives = values.get("objectives", {MLM: 1.0})
    loss = PretrainingLoss(
        model,
        TokenFile(arguments.text),
        settings,
        values["mask_share"],
        objectives.get(MLM, 0.0),
        pairs_of(arguments, model, settings),
    )
    train(model, loss, settings, machine, checkpoints, "pre-training")
    with atomic_folder(arguments.out) as folder:
        model.encoder.save_transformer(folder)
        write_provenance(folder, values, inputs, started, device)
    checkpoints.remove()


def pairs_of(arguments, model, settings):
    """Return the loss of sentence pairs, or None where no objective reads them."""
    values = arguments.settings
    weights = pair_weights(values.get("objectives", {}))
    if not weights:
        return None
    if not arguments.bitext:
        hint = "list sources under bitext, and give their token files as --bitext"
        raise ConfigError(f"{', '.join(weights)} without sentence pairs", where="pretraining.objectives", hint=hint)
    pairs = PairTokens(arguments.bitext, values.get("pairs_exponent", 1.0))
    settings = dataclasses.replace(settings, batch_size=values.get("pairs_batch_size", settings.batch_size))
    return PairLoss(model, pairs, settings, weights, values["mask_share"], values.get("transport"))


if __name__ == "__main__":
    parser = program(__doc__)
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--text", required=True, metavar="FOLDER", help="token file")
    parser.add_argument("--bitext", nargs="*", default=[], metavar="FOLDER", help="tokenised sentence pairs")
    add_training_arguments(parser)
    run_program(main, parser)
