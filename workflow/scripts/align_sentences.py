"""Align a held-out sentence pair twice: what the student started from reads the foreign sentence, then the student.

python workflow/scripts/align_sentences.py --lang sw --student students/sw/optical/1 --teacher teacher \\
    --tokens tokens/bitext/sw --bitext bitext/sw/dev.tsv --out alignments/sw.json

The pair is not hand-picked: it is the first one of `FEWEST` to `MOST` words on each side.
"""

from optical.errors import DataError
from optical.evaluation.token_alignment import align, transport_cost, transport_settings
from optical.files import read_rows, write_json
from optical.models.folders import load_encoder
from optical.program import add_base_argument, program, run_program

FEWEST, MOST = 5, 12


def main(arguments):
    number, english, foreign = pick_pair(list(read_rows(arguments.bitext, columns=2)), arguments.bitext)
    teacher = load_encoder(arguments.teacher)
    student = load_encoder(arguments.student, base=arguments.base)
    start = load_encoder(arguments.start) if arguments.start else teacher
    settings = transport_settings(arguments.student, bitext_at_hand=True)
    before, after = (
        align(reader, teacher, foreign, english, settings, special=False, tokens=arguments.tokens)
        for reader in (start, student)
    )
    record = {
        "lang": arguments.lang,
        "transport": {
            "solver": settings.solver,
            "regularisation": settings.regularisation,
            "marginals": settings.marginals,
        },
        "foreign_text": foreign,
        "english_text": english,
        "source": f"held-out pair {number}",
        "foreign": after.foreign,
        "english": after.english,
        "before": {"plan": before.plan, "transport_cost": transport_cost(before)},
        "after": {"plan": after.plan, "transport_cost": transport_cost(after)},
    }
    write_json(arguments.out, record, sealed=True)


def pick_pair(pairs, path):
    """Return (number, English, foreign) of the first pair of fair length; of the first pair where none has."""
    if not pairs:
        raise DataError("no held-out sentence pair", where=path, hint="let bitext_cleaning.dev_pairs be at least 1")
    fair = (
        (number, english, foreign)
        for number, (english, foreign, *_) in enumerate(pairs, start=1)
        if all(FEWEST <= len(side.split()) <= MOST for side in (english, foreign))
    )
    return next(fair, (1, *pairs[0][:2]))


if __name__ == "__main__":
    parser = program(__doc__, out="the file")
    parser.add_argument("--lang", required=True)
    parser.add_argument("--student", required=True, metavar="FOLDER")
    parser.add_argument("--teacher", required=True, metavar="FOLDER")
    parser.add_argument("--start", metavar="FOLDER", help="from extend_vocabulary, where the student started there")
    parser.add_argument("--tokens", required=True, metavar="FOLDER", help="tokenised bitext: tells how rare tokens are")
    parser.add_argument("--bitext", required=True, metavar="FILE", help="held-out pairs: english<TAB>foreign")
    add_base_argument(parser)
    run_program(main, parser)
