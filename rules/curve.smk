"""Mean against bitext size: the students again, from shares of the sentence pairs; `snakemake results/bitext_curve.tsv`.

A share is an experiment with changes, in `bitext_curve/SHARE/`, and the same rules make it.
"""


rule bitext_curve:
    input:
        **code("bitext_curve"),
        scores=lambda w: jobs.files_in(changes.curve_points(at(w)), "scores"),
        bitext=lambda w: jobs.files_in(changes.curve_points(at(w)), "bitext"),
    output:
        "{results}/bitext_curve.tsv",
    log:
        "{results}/logs/bitext_curve.log",
    benchmark:
        "{results}/benchmarks/bitext_curve.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments(
            jobs=lambda w: changes.curve_points(at(w)),
            methods=lambda w: changes.curve_methods(at(w)),
            collection=lambda w: at(w).main_collection(),
            keys=["measure"],
        ),
    message:
        "putting the means over shares of the sentence pairs together"
    shell:
        RUN


rule plot_bitext_curve:
    input:
        **code("plot_bitext_curve"),
        curve="{results}/bitext_curve.tsv",
    output:
        **figure("{results}/figures/bitext_curve", "Training", "means against bitext size"),
    log:
        "{results}/logs/plot_bitext_curve.log",
    benchmark:
        "{results}/benchmarks/plot_bitext_curve.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            *("curve", "out"),
            keys=["methods", "measure"],
            names=lambda w: jobs.titles(at(w), changes.curve_languages(at(w))),
        ),
    message:
        "drawing the means against the number of sentence pairs"
    shell:
        RUN
