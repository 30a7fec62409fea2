"""Swap words of English queries for words of another language, by the dictionary of a word aligner.

Example: python workflow/scripts/switch_queries.py --queries queries.tsv --dictionary dictionaries/sw.tsv \\
    --settings '{probability: 0.5}' --out switched.tsv
"""

from collections.abc import Iterator

from optical.bitext.code_switching import switch_queries
from optical.bitext.word_alignment import read_lexical_table
from optical.config.methods import Switch
from optical.errors import DataError
from optical.files import read_rows, write_rows
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    settings = Switch.read(arguments.settings, "switch")
    queries = ((row[0], row[1]) for row in read_rows(arguments.queries, columns=2))
    dictionary = read_lexical_table(arguments.dictionary)
    swapped = words = 0

    def rows() -> Iterator[tuple[str, str]]:
        nonlocal swapped, words
        for query_id, text, changed, length in switch_queries(queries, dictionary, settings):
            swapped, words = swapped + changed, words + length
            yield query_id, text
        if not swapped and settings.probability:
            raise DataError(
                "the dictionary knows no word of the queries", where=arguments.dictionary, hint="give it more bitext"
            )

    count = write_rows(arguments.out, rows(), sealed=True)
    log.info("%d queries, %d of %d words swapped", count, swapped, words)


if __name__ == "__main__":
    parser = program(__doc__, out="query_id<TAB>text, in the same order")
    parser.add_argument("--queries", required=True, metavar="FILE", help="query_id<TAB>English text")
    parser.add_argument("--dictionary", required=True, metavar="FILE", help="from align_words --out-backward")
    parser.add_argument("--settings", type=yaml_value, default={}, help="the block switch of a method")
    run_program(main, parser)
