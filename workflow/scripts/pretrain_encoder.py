"""Pre-train a small multilingual encoder from scratch: masked language modelling, and objectives over sentence pairs.

Example: python workflow/scripts/pretrain_encoder.py --tokeniser tokeniser --text tokens --out encoder \\
    --settings '{steps: 400, batch_size: 128, architecture: {layers: 2}, encoder: {dimension: 64}}'

With pairs: --bitext tokens/bitext/sw tokens/bitext/de --settings '{objectives: {mlm: 1.0, tlm: 1.0}, ...}'
"""

from optical.config.fitting import fitted
from optical.config.training import PretrainingSettings
from optical.models.encoder import Encoder
from optical.program import add_training_arguments, log, program, run_program
from optical.runtime.machine import machine_from
from optical.text.token_files import TokenFile
from optical.text.tokeniser import load_tokeniser, vocabulary_size
from optical.training.encoder import MaskedLanguageModel, PretrainingLoss, new_transformer
from optical.training.encoder_pairs import PairLoss, PairTokens
from optical.training.session import Session


def main(arguments):
    settings = PretrainingSettings.read(fitted("pretraining", arguments.settings, "scratch"), "settings")
    inputs = {"tokeniser": arguments.tokeniser, "text": arguments.text}
    inputs |= {f"bitext {place}": folder for place, folder in enumerate(arguments.bitext)}
    session = Session(settings, inputs, machine_from(arguments), arguments.checkpoints, __file__)
    rows = vocabulary_size(load_tokeniser(arguments.tokeniser))
    longest = max(settings.encoder.query_length, settings.encoder.document_length)
    transformer = new_transformer(settings.architecture, rows, longest, settings.seed)
    model = MaskedLanguageModel(Encoder(transformer, arguments.tokeniser, settings.encoder)).to(session.device)
    log.info("%.1f M parameters", sum(weight.numel() for weight in transformer.parameters()) / 1e6)
    pairs = None
    if settings.objectives.of_pairs():
        pairs = PairLoss(model, PairTokens(arguments.bitext, settings.pairs_exponent), settings)
    loss = PretrainingLoss(model, TokenFile(arguments.text), settings, pairs)
    session.train(model, loss, arguments.out, model.encoder.save_transformer)


if __name__ == "__main__":
    parser = program(__doc__, out="the model's folder")
    parser.add_argument("--tokeniser", required=True, metavar="FOLDER", help="folder with tokenizer.json")
    parser.add_argument("--text", required=True, metavar="FOLDER", help="token file")
    parser.add_argument("--bitext", nargs="*", default=[], metavar="FOLDER", help="tokenised sentence pairs")
    add_training_arguments(parser)
    run_program(main, parser)
