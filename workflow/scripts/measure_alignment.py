"""Measure how much of the transport plan links names that translate each other, in held-out sentence pairs.

python workflow/scripts/measure_alignment.py --bitext bitext/sw/dev.tsv --lexicon lexicon/sw.tsv --tokens tokens/sw \\
    --lang sw --settings '{transport: {solver: sinkhorn, marginals: idf}, encoder: {dimension: 128}}' --out sw.tsv \\
    --jobs '[{method: encoder, seed: 1, foreign: encoder, english: encoder, kind: document}]'

Writes a file of scores, as evaluate_run.py does: the query is a sentence pair, the measures are those of
`name_alignment.MEASURES`. A folder that holds no late-interaction model is read as a bare transformer.
"""

from optical.config.fitting import fitted_settings
from optical.config.training import AlignmentSettings
from optical.evaluation.name_alignment import pair_figures, plan_of, read_linked_pairs
from optical.evaluation.scores import Score, write_scores
from optical.models.folders import keeping, load_encoder
from optical.models.own_settings import own_settings
from optical.models.saved_settings import saved_settings
from optical.program import add_base_argument, add_machine_arguments, log, program, run_program, yaml_value
from optical.runtime.machine import machine_from
from optical.text.token_files import bitext_token_weights
from optical.text.tokeniser import load_tokeniser, vocabulary_size

COLLECTION = "held-out"


def main(arguments):
    settings = fitted_settings(AlignmentSettings, "alignment", arguments.settings, arguments.jobs[0]["foreign"])
    device = machine_from(arguments).start()
    bare = arguments.settings.get("encoder", {}) | {"dimension": 0}

    def load(folder):
        settings_of_bare = None if saved_settings(folder) else own_settings(folder, bare)
        return load_encoder(folder, settings_of_bare, arguments.base).to(device)

    reader = keeping(2, load)

    tokeniser = load_tokeniser(arguments.jobs[0]["english"])
    pairs = read_linked_pairs(arguments.bitext, arguments.lexicon, tokeniser)
    log.info("%d pairs with %d names", len(pairs), sum(len(pair.links) for pair in pairs))
    weights, rows = bitext_token_weights(arguments.tokens, vocabulary_size(tokeniser)), []
    for job in arguments.jobs:
        plan_BMN = plan_of(
            (reader(job["foreign"]), reader(job["english"])), pairs, job["kind"], settings.transport, weights
        )
        rows += [
            Score(COLLECTION, job["method"], arguments.lang, str(job["seed"]), str(number), measure, value)
            for number, measure, value in pair_figures(plan_BMN, pairs)
        ]
    write_scores(arguments.out, rows)


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {method, seed, foreign, english, kind}")
    parser.add_argument("--settings", type=yaml_value, required=True, help="transport, and how a bare encoder reads")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="held-out pairs: english<TAB>foreign")
    parser.add_argument("--lexicon", required=True, metavar="FILE", help="names: english<TAB>foreign")
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="tokenised bitext: tells how rare tokens are")
    parser.add_argument("--lang", required=True)
    add_machine_arguments(parser)
    add_base_argument(parser)
    run_program(main, parser)
