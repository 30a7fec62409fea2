"""A grid over keys of the config, judged on a collection for development; `snakemake results/tuning.tsv`.

A point of the grid is an experiment with changes, in `tuning/NUMBER/`, and the same rules make it.
"""


rule make_tuning_table:
    input:
        **code("make_tuning_table"),
        scores=lambda w: changes.grid_scores(at(w)),
    output:
        out="{results}/tuning.tsv",
        chosen="{results}/tuning.yaml",
    log:
        "{results}/logs/make_tuning_table.log",
    benchmark:
        "{results}/benchmarks/make_tuning_table.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments(
            *("out", "chosen"),
            points=lambda w: changes.grid_points(at(w)),
            method=lambda w: changes.tuning_method(at(w)),
            keys=["measure"],
        ),
    message:
        "choosing the best point of the grid: {output.chosen}"
    shell:
        RUN
