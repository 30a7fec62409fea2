"""Score translations of held-out bitext by BLEU and chrF (sacrebleu): one row per language and method.

Example: python workflow/scripts/score_translations.py --out translation_scores.tsv --jobs \\
    '[{translations: dev-translated/sw.tsv, lang: sw, method: nmt}]'

A file of translations has rows `english<TAB>translation`, as translate_queries makes them of a bitext.
"""

from optical.errors import DataError
from optical.files import read_rows
from optical.program import jobs_from, log, program, run_program, yaml_value
from optical.translation.scores import score_translations, write_translation_scores


def main(arguments):
    scored = []
    for job in jobs_from(arguments, ("translations", "lang", "method")):
        rows = list(read_rows(job["translations"], columns=2))
        try:
            score = score_translations([row[0] for row in rows], [row[1] for row in rows])
        except DataError as error:
            raise DataError(error.what, where=job["translations"], hint=error.hint) from error
        log.info("%s by %s: BLEU %.1f, chrF %.1f", job["lang"], job["method"], score.bleu, score.chrf)
        scored.append((job["lang"], job["method"], score))
    write_translation_scores(arguments.out, scored)


if __name__ == "__main__":
    parser = program(__doc__, out="scores (TSV)")
    parser.add_argument("--jobs", type=yaml_value, required=True, help="list of {translations, lang, method}")
    run_program(main, parser)
