"""Experiments that differ in one thing, each made by the rules of the main table, and one table of them all.

snakemake --cores 2 --configfile config/studies/multi30k.yaml -- results/studies/multi30k/table.tsv
snakemake --cores 2 -- results/bitext_curve.tsv  # an experiment with shares of its sentence pairs
"""


rule make_study_table:
    input:
        **code("make_study_table"),
        scores=lambda w: jobs.files_in(changes.conditions(at(w), w.table), "scores"),
        bitext=lambda w: jobs.files_in(changes.conditions(at(w), w.table), "bitext"),
    output:
        "{results}/{table}.tsv",
    log:
        "{results}/logs/make_study_table/{table}.log",
    benchmark:
        "{results}/benchmarks/make_study_table/{table}.tsv"
    wildcard_constraints:
        table=any_of(changes.CONDITIONS),
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("make_study_table"),
    params:
        arguments=arguments(
            keys=["study.compare", "study.axis"],
            jobs=lambda w: changes.conditions(at(w), w.table),
            reference=lambda w: changes.study_reference(at(w)),
            measures=lambda w: jobs.ALIGNMENT_MEASURES if w.table == "alignment_quality" else at(w).config.measures,
            levels=lambda w: at(w).levels(),
        ),
    message:
        "making the table of conditions {output}"
    shell:
        RUN


rule explain_matrix:
    input:
        **code("explain_matrix"),
        table="{results}/table.tsv",
        languages=ancient("config/languages.tsv"),
    output:
        "{results}/distances.tsv",
    log:
        "{results}/logs/explain_matrix.log",
    benchmark:
        "{results}/benchmarks/explain_matrix.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments(
            *("table", "languages"),
            keys=["study.axis"],
            language_table=lambda w: at(w).config.language_additions(),
        ),
    message:
        "relating the matrix of the study to descent and script: {output}"
    shell:
        RUN


rule plot_study:
    input:
        **code("plot_study"),
        table="{results}/table.tsv",
    output:
        **figure("{results}/figure", "Study", "means of every condition"),
    log:
        "{results}/logs/plot_study.log",
    benchmark:
        "{results}/benchmarks/plot_study.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            *("table", "out"),
            keys=["methods", "reference", "study.axis", "measure"],
            kind=lambda w: at(w).config.study.figure,
            names=lambda w: jobs.titles(at(w), at(w).config.languages),
        ),
    message:
        "drawing the study: {output.out}"
    shell:
        RUN


use rule plot_study as plot_bitext_curve with:
    input:
        **code("plot_study"),
        table="{results}/bitext_curve.tsv",
    output:
        **figure("{results}/figures/bitext_curve", "Training", "means against bitext size"),
    log:
        "{results}/logs/plot_bitext_curve.log",
    benchmark:
        "{results}/benchmarks/plot_bitext_curve.tsv"
    params:
        arguments=arguments(
            *("table", "out"),
            keys=["methods", "reference", "study.axis", "measure"],
            kind="curve",
            names=lambda w: jobs.titles(at(w), changes.curve_languages(at(w))),
        ),
    message:
        "drawing the means against the number of sentence pairs: {output.out}"
