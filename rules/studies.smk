"""Studies: experiments that differ in one thing, each made by the rules of the main table, and one table of them all.

snakemake --cores 2 --configfile config/studies/multi30k.yaml -- results/studies/multi30k/table.tsv
"""


rule make_study_table:
    input:
        **code("make_study_table"),
        scores=lambda w: jobs.files_in(changes.study_conditions(at(w)), "scores"),
        bitext=lambda w: jobs.files_in(changes.study_conditions(at(w)), "bitext"),
    output:
        "{results}/table.tsv",
    log:
        "{results}/logs/make_study_table.log",
    benchmark:
        "{results}/benchmarks/make_study_table.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("make_study_table"),
    params:
        arguments=arguments(
            keys=["measures", "study.compare", "study.axis"],
            jobs=lambda w: changes.study_conditions(at(w)),
            reference=lambda w: changes.study_reference(at(w)),
            levels=lambda w: at(w).levels(),
        ),
    message:
        "making the table of the study: {output}"
    shell:
        RUN


use rule make_study_table as make_alignment_table with:
    input:
        **code("make_study_table"),
        scores=lambda w: jobs.files_in(changes.alignment_conditions(at(w)), "scores"),
        bitext=lambda w: jobs.files_in(changes.alignment_conditions(at(w)), "bitext"),
    output:
        "{results}/alignment_quality.tsv",
    log:
        "{results}/logs/make_alignment_table/alignment_quality.log",
    benchmark:
        "{results}/benchmarks/make_alignment_table/alignment_quality.tsv"
    params:
        arguments=arguments(
            keys=["study.compare", "study.axis"],
            jobs=lambda w: changes.alignment_conditions(at(w)),
            reference=lambda w: changes.study_reference(at(w)),
            measures=jobs.ALIGNMENT_MEASURES,
            levels=lambda w: at(w).levels(),
        ),
    message:
        "making the table of how well names are aligned: {output}"


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
        out="{results}/figure.svg",
        others=multiext("{results}/figure", ".png", ".tsv"),
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
