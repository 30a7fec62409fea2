"""Studies: experiments that differ in one thing, each made by the rules of the main table, and one table of them all.

snakemake --cores 2 --configfile config/studies/multi30k.yaml -- results/studies/multi30k/table.tsv
"""


rule make_study_table:
    input:
        scores=lambda w: jobs.files_in(changes.study_conditions(at(w)), "scores"),
        bitext=lambda w: jobs.files_in(changes.study_conditions(at(w)), "bitext"),
        script=script("make_study_table"),
        library=library("make_study_table"),
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
            jobs=lambda w: changes.study_conditions(at(w)),
            compare=lambda w: at(w).config.study.compare,
            reference=lambda w: changes.study_reference(at(w)),
            measures=lambda w: at(w).config.measures,
            levels=lambda w: at(w).levels(),
            axis=lambda w: at(w).config.study.axis,
        ),
    message:
        "making the table of the study: {output}"
    shell:
        "python {input.script} {params.arguments} --out {output} --log {log}"


use rule make_study_table as make_alignment_table with:
    input:
        scores=lambda w: jobs.files_in(changes.alignment_conditions(at(w)), "scores"),
        bitext=lambda w: jobs.files_in(changes.alignment_conditions(at(w)), "bitext"),
        script=script("make_study_table"),
        library=library("make_study_table"),
    output:
        "{results}/alignment_quality.tsv",
    log:
        "{results}/logs/make_alignment_table/alignment_quality.log",
    benchmark:
        "{results}/benchmarks/make_alignment_table/alignment_quality.tsv"
    params:
        arguments=arguments(
            jobs=lambda w: changes.alignment_conditions(at(w)),
            compare=lambda w: at(w).config.study.compare,
            reference=lambda w: changes.study_reference(at(w)),
            measures=jobs.ALIGNMENT_MEASURES,
            levels=lambda w: at(w).levels(),
            axis=lambda w: at(w).config.study.axis,
        ),
    message:
        "making the table of how well names are aligned: {output}"


rule explain_matrix:
    input:
        table="{results}/table.tsv",
        languages=ancient("config/languages.tsv"),
        script=script("explain_matrix"),
        library=library("explain_matrix"),
    output:
        "{results}/distances.tsv",
    log:
        "{results}/logs/explain_matrix.log",
    benchmark:
        "{results}/benchmarks/explain_matrix.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments(language_table=lambda w: at(w).config.language_additions()),
        axis=lambda w: at(w).config.study.axis,
    message:
        "relating the matrix of the study to descent and script: {output}"
    shell:
        "python {input.script} {params.arguments} --table {input.table} --axis {params.axis} "
        "--languages {input.languages} --out {output} --log {log}"


rule plot_study:
    input:
        table="{results}/table.tsv",
        script=script("plot_study"),
        library=library("plot_study"),
    output:
        figure="{results}/figure.svg",
        others=multiext("{results}/figure", ".png", ".tsv"),
    log:
        "{results}/logs/plot_study.log",
    benchmark:
        "{results}/benchmarks/plot_study.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            kind=lambda w: at(w).config.study.figure,
            measure=lambda w: at(w).config.measures[0],
            methods=lambda w: at(w).config.methods,
            reference=lambda w: at(w).config.reference,
            names=lambda w: jobs.titles(at(w), at(w).config.languages),
            axis=lambda w: at(w).config.study.axis,
        ),
    message:
        "drawing the study: {output.figure}"
    shell:
        "python {input.script} {params.arguments} --table {input.table} "
        "--out $(dirname {output.figure})/figure --log {log}"
