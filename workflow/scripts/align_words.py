"""Make a lexical table, P(English word | foreign word), from clean bitext by aligning its words.

python workflow/scripts/align_words.py --bitext results/bitext/sw/train.tsv --out results/tables/sw.tsv \\
    --settings '{aligner: ibm2}'

The table has rows `foreign english probability`; `--out-backward` adds P(foreign word | English word) as rows
`english foreign probability`. `aligner: eflomal` needs the command eflomal-align on the PATH (its own environment).
"""

from optical.bitext.word_alignment import align, count_tables, read_bitext_words, write_lexical_table
from optical.config.bitext import WordAlignment
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    settings = WordAlignment.read(arguments.settings, "word_alignment")
    pairs = read_bitext_words(arguments.bitext)
    alignments = align(pairs, settings)
    table, backward_table = count_tables(pairs, alignments)
    rows = write_lexical_table(arguments.out, table)
    if arguments.out_backward:
        write_lexical_table(arguments.out_backward, backward_table)
    log.info(
        "%s: %d translations of %d words, from %d links in %d sentence pairs by %s",
        *(arguments.out, rows, len(table), sum(map(len, alignments)), len(pairs), settings.aligner),
    )


if __name__ == "__main__":
    parser = program(__doc__, out="P(English | foreign): foreign, English, probability")
    parser.add_argument("--bitext", required=True, help="English<TAB>foreign")
    parser.add_argument("--settings", type=yaml_value, default={}, help="the block word_alignment of the config")
    parser.add_argument("--out-backward", help="P(foreign | English): English, foreign, probability")
    run_program(main, parser)
