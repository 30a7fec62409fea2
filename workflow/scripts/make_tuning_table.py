"""Choose the best point of a grid over keys of the config, by a method's mean on a collection for development.

python workflow/scripts/make_tuning_table.py --method optical --measure AP --out tuning.tsv --chosen tuning.yaml \\
    --points '[{values: {student.steps: 100}, scores: [tuning/1/scores/atlas-dev/sw.tsv]},
               {values: {student.steps: 200}, scores: [tuning/2/scores/atlas-dev/sw.tsv]}]'

The table has a row per point, the best first. The chosen values are a config file for --configfile.
"""

from optical.evaluation.tuning import config_lines, trials_of, tuning_rows
from optical.files import write_lines, write_rows
from optical.program import log, program, run_program, yaml_value


def main(arguments):
    trials = trials_of(arguments.points, arguments.method, arguments.measure)
    write_rows(arguments.out, tuning_rows(trials))
    lines = config_lines(trials, arguments.method, arguments.measure)
    write_lines(arguments.chosen, lines)
    log.info("%s", "; ".join(lines))


if __name__ == "__main__":
    parser = program(__doc__, out="table of all points (TSV)")
    parser.add_argument("--points", type=yaml_value, required=True, help="[{values: {key: value}, scores: [FILE]}]")
    parser.add_argument("--method", required=True, help="whose mean decides")
    parser.add_argument("--measure", required=True)
    parser.add_argument("--chosen", required=True, metavar="FILE", help="config file with the best values (YAML)")
    run_program(main, parser)
