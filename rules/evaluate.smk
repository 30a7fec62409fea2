"""Runs to per-query scores to tables."""


localrules:
    publish_map_table,


rule evaluate_run:
    input:
        runs=lambda w: jobs.folders_of_runs(at(w), w.collection, w.lang, jobs.kinds_in(at(w), w.collection)),
        collection=lambda w: at(w).collection(w.collection),
        script=script("evaluate_run"),
        library=library("evaluate_run"),
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
            jobs=lambda w: jobs.evaluations(at(w), w.collection, w.lang, jobs.kinds_in(at(w), w.collection)),
            measures=lambda w: at(w).config.measures,
        ),
        passages=lambda w: "--passages" if at(w).config.collection_table[w.collection].split else "",
    message:
        "scoring the runs of {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --qrels {input.collection}/qrels.txt {params.passages} "
        "--collection {wildcards.collection} --out {output} --log {log}"


rule measure_alignment:
    input:
        models=lambda w: jobs.aligner_models(at(w), w.lang),
        bitext=lambda w: at(w).bitext(w.lang, "dev"),
        tokens=lambda w: models.tokens(at(w), w.lang),
        lexicon=lambda w: jobs.lexicon(at(w), w.lang),
        script=script("measure_alignment"),
        library=library("measure_alignment"),
    output:
        "{results}/alignment/{lang}.tsv",
    log:
        "{results}/logs/measure_alignment/{lang}.log",
    benchmark:
        "{results}/benchmarks/measure_alignment/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("measure_alignment"),
    params:
        arguments=arguments(
            jobs=lambda w: jobs.aligners(at(w), w.lang),
            settings=lambda w: settings.alignment_settings(at(w)),
        ),
    message:
        "measuring how well names of {wildcards.lang} are aligned"
    shell:
        "python {input.script} {params.arguments} --bitext {input.bitext} --tokens {input.tokens} "
        "--lexicon {input.lexicon:q} --lang {wildcards.lang} "
        f"{ON_DEVICE} --out {{output}} --log {{log}}"


rule compare_methods:
    input:
        scores=lambda w: jobs.scores(at(w), w.collection),
        script=script("compare_methods"),
        library=library("compare_methods"),
    output:
        "{results}/tables/{collection}/map_cells.tsv",
    log:
        "{results}/logs/compare_methods/{collection}.log",
    benchmark:
        "{results}/benchmarks/compare_methods/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("compare_methods"),
    params:
        arguments=arguments(
            scores=lambda w: jobs.scores(at(w), w.collection),
            methods=lambda w: at(w).config.methods,
            langs=lambda w: at(w).languages_of(w.collection),
            measures=lambda w: at(w).config.measures,
            reference=lambda w: at(w).config.reference,
            levels=lambda w: at(w).levels(),
        ),
    message:
        "comparing the methods on {wildcards.collection}"
    shell:
        "python {input.script} {params.arguments} --collection {wildcards.collection} --out {output} --log {log}"


rule make_map_table:
    input:
        cells="{results}/tables/{collection}/map_cells.tsv",
        script=script("make_map_table"),
        library=library("make_map_table"),
    output:
        table="{results}/tables/{collection}/map_table.tsv",
        markdown="{results}/tables/{collection}/map_table.md",
        latex="{results}/tables/{collection}/map_table.tex",
    log:
        "{results}/logs/make_map_table/{collection}.log",
    benchmark:
        "{results}/benchmarks/make_map_table/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments(
            methods=lambda w: at(w).config.methods,
            langs=lambda w: at(w).languages_of(w.collection),
            measure=lambda w: at(w).config.measures[0],
        ),
    message:
        "making the table of {wildcards.collection}"
    shell:
        "python {input.script} {params.arguments} --cells {input.cells} --collection {wildcards.collection} "
        "--out {output.table} --markdown {output.markdown} --latex {output.latex} --log {log}"


rule publish_map_table:
    input:
        files=lambda w: jobs.published_tables(at(w)),
        others=lambda w: jobs.tables(at(w), "map_table.tsv"),
        translations=lambda w: jobs.translation_table(at(w)),
    output:
        multiext("{results}/map_", "table.tsv", "table.md", "table.tex", "cells.tsv"),
    log:
        "{results}/logs/publish_map_table.log",
    benchmark:
        "{results}/benchmarks/publish_map_table.tsv"
    conda:
        "../envs/evaluate.yaml"
    message:
        "the tables of the first collection become the experiment's: {output}"
    shell:
        "cp {input.files} {wildcards.results} 2> {log}"


rule compare_expected:
    input:
        cells=lambda w: jobs.tables(at(w), "map_cells.tsv"),
        expected="config/expected.tsv",
        script=script("compare_expected"),
        library=library("compare_expected"),
    output:
        "{results}/expected.tsv",
    log:
        "{results}/logs/compare_expected.log",
    benchmark:
        "{results}/benchmarks/compare_expected.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        arguments=arguments(cells=lambda w: jobs.tables(at(w), "map_cells.tsv")),
        experiment=lambda w: at(w).name,
    message:
        "putting expected figures beside ours: {output}"
    shell:
        "python {input.script} {params.arguments} --expected {input.expected} --config {params.experiment} "
        "--out {output} --log {log}"
