"""Runs to per-query scores to tables."""


localrules:
    publish_map_table,


rule evaluate_run:
    input:
        **code("evaluate_run"),
        runs=lambda w: jobs.folders_of_runs(at(w), w.collection, w.lang),
        prepared=lambda w: at(w).collection(w.collection),
    output:
        "{results}/scores/{collection}/{lang}.tsv",
    log:
        "{results}/logs/evaluate_run/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/evaluate_run/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("evaluate_run"),
    params:
        arguments=arguments(
            "collection",
            keys=["measures"],
            jobs=lambda w: jobs.evaluations(at(w), w.collection, w.lang),
            passages=lambda w: at(w).config.collection_table[w.collection].split is not None,
        ),
    message:
        "scoring the runs of {wildcards.collection} in {wildcards.lang}"
    shell:
        f"{RUN} --qrels {{input.prepared}}/qrels.txt"


rule check_students:
    input:
        **code("check_students"),
        students=lambda w: jobs.files_in(jobs.checked_students(at(w), w.lang), "folder"),
        teacher=lambda w: models.teacher(at(w)),
        start=lambda w: jobs.files_in(jobs.checked_students(at(w), w.lang), "start"),
        bitext=lambda w: at(w).bitext(w.lang, "dev"),
    output:
        "{results}/held_out/{lang}.tsv",
    log:
        "{results}/logs/check_students/{lang}.log",
    benchmark:
        "{results}/benchmarks/check_students/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs(
            "check_students",
            model_mb=lambda w, input, precision: memory.reading_mb([*input.students, *input.start], precision),
        ),
    params:
        arguments=arguments(
            *("teacher", "bitext", "lang"),
            jobs=lambda w: jobs.checked_students(at(w), w.lang),
            lexical=lambda w: jobs.lexical_settings(at(w)),
        ),
    message:
        "checking on held-out pairs whether training helped in {wildcards.lang}"
    shell:
        RUN_MODEL


rule measure_alignment:
    input:
        **code("measure_alignment"),
        models=lambda w: jobs.aligner_models(at(w), w.lang),
        bitext=lambda w: at(w).bitext(w.lang, "dev"),
        tokens=lambda w: models.tokens(at(w), w.lang),
        lexicon=lambda w: jobs.lexicon(at(w), w.lang),
    output:
        "{results}/alignment/{lang}.tsv",
    log:
        "{results}/logs/measure_alignment/{lang}.log",
    benchmark:
        "{results}/benchmarks/measure_alignment/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs(
            "measure_alignment",
            model_mb=lambda w, input, precision: memory.reading_mb(input.models, "fp32", at_once=2),
        ),
    params:
        arguments=arguments(
            *("bitext", "tokens", "lexicon", "lang"),
            jobs=lambda w: jobs.aligners(at(w), w.lang),
            settings=lambda w: settings.alignment_settings(at(w)),
        ),
    message:
        "measuring how well names of {wildcards.lang} are aligned"
    shell:
        RUN_MODEL


rule make_map_table:
    input:
        **code("make_map_table"),
        scores=lambda w: jobs.scores(at(w), w.collection),
        held_out=lambda w: jobs.held_out_tables(at(w)),
    output:
        out="{results}/tables/{collection}/map_table.tsv",
        markdown="{results}/tables/{collection}/map_table.md",
        latex="{results}/tables/{collection}/map_table.tex",
        cells="{results}/tables/{collection}/map_cells.tsv",
        pairs="{results}/tables/{collection}/pairs.tsv",
    log:
        "{results}/logs/make_map_table/{collection}.log",
    benchmark:
        "{results}/benchmarks/make_map_table/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("make_map_table"),
    params:
        arguments=arguments(
            *("scores", "held_out", "collection", "out", "markdown", "latex", "cells", "pairs"),
            keys=["methods", "measures", "reference"],
            langs=lambda w: at(w).languages_of(w.collection),
            levels=lambda w: at(w).levels(),
            note=lambda w: models.weights_note(at(w)),
        ),
    message:
        "comparing the methods on {wildcards.collection}, and making the table"
    shell:
        RUN


rule publish_map_table:
    input:
        **code("publish_map_table"),
        tables=lambda w: jobs.published_tables(at(w)),
        others=lambda w: jobs.tables(at(w), "map_table.tsv"),
        translations=lambda w: translations.translation_table(at(w)),
    output:
        multiext("{results}/map_", "table.tsv", "table.md", "table.tex", "cells.tsv"),
    log:
        "{results}/logs/publish_map_table.log",
    benchmark:
        "{results}/benchmarks/publish_map_table.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments("tables"),
    message:
        "the tables of the first collection become the experiment's: {output}"
    shell:
        RUN


rule compare_expected:
    input:
        **code("compare_expected"),
        cells=lambda w: jobs.tables(at(w), "map_cells.tsv"),
        expected="config/expected.tsv",
    output:
        "{results}/expected.tsv",
    log:
        "{results}/logs/compare_expected.log",
    benchmark:
        "{results}/benchmarks/compare_expected.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments("cells", "expected", config=lambda w: at(w).name),
    message:
        "putting expected figures beside ours: {output}"
    shell:
        RUN
