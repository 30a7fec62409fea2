"""Runs to per-query scores to tables."""


localrules:
    publish_map_table,


rule evaluate_run:
    input:
        runs=runs_to_evaluate,
        collection="<results>/collections/{collection}",
        script=script("evaluate_run"),
        library=library("evaluate_run"),
    output:
        "<results>/scores/{collection}/{lang}.tsv",
    log:
        "<logs>/evaluate_run/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/evaluate_run/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(1500, 0.5),  # one run at a time
        runtime=duration(60),
    params:
        jobs=evaluation_jobs,
        measures=config["measures"],
        passages=passages_flag,
    message:
        "scoring the runs of {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} --qrels {input.collection}/qrels.txt --jobs {params.jobs:q} "
        "--measures {params.measures:q} {params.passages} --collection {wildcards.collection} --out {output} --log {log}"


rule measure_alignment:
    input:
        models=models_that_align,
        bitext="<results>/bitext/{lang}/dev.tsv",
        tokens="<results>/tokens/bitext/{lang}",
        lexicon=lexicon,
        script=script("measure_alignment"),
        library=library("measure_alignment"),
    output:
        "<results>/alignment/{lang}.tsv",
    log:
        "<logs>/measure_alignment/{lang}.log",
    benchmark:
        "<benchmarks>/measure_alignment/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **model_resources(base_mb=2000, times_input=2, minutes=60),
    params:
        jobs=alignment_jobs,
        settings=alignment_settings(),
    message:
        "measuring how well names of {wildcards.lang} are aligned"
    shell:
        "python {input.script} --jobs {params.jobs:q} --settings {params.settings:q} --bitext {input.bitext} "
        "--tokens {input.tokens} --lexicon {input.lexicon:q} --lang {wildcards.lang} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule compare_methods:
    input:
        scores=scores_of,
        script=script("compare_methods"),
        library=library("compare_methods"),
    output:
        "<results>/tables/{collection}/map_cells.tsv",
    log:
        "<logs>/compare_methods/{collection}.log",
    benchmark:
        "<benchmarks>/compare_methods/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(500, 10),
        runtime=duration(60),
    params:
        methods=config["methods"],
        langs=collection_languages_of_table,
        measures=config["measures"],
        reference=config["reference"],
        levels=as_argument(levels()),
    message:
        "comparing the methods on {wildcards.collection}"
    shell:
        "python {input.script} --scores {input.scores} --collection {wildcards.collection} "
        "--methods {params.methods:q} --langs {params.langs} --measures {params.measures:q} "
        "--reference {params.reference:q} --levels {params.levels:q} --out {output} --log {log}"


rule make_map_table:
    input:
        cells="<results>/tables/{collection}/map_cells.tsv",
        script=script("make_map_table"),
        library=library("make_map_table"),
    output:
        table="<results>/tables/{collection}/map_table.tsv",
        markdown="<results>/tables/{collection}/map_table.md",
        latex="<results>/tables/{collection}/map_table.tex",
    log:
        "<logs>/make_map_table/{collection}.log",
    benchmark:
        "<benchmarks>/make_map_table/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        methods=config["methods"],
        langs=collection_languages_of_table,
        measure=config["measures"][0],
    message:
        "making the table of {wildcards.collection}"
    shell:
        "python {input.script} --cells {input.cells} --collection {wildcards.collection} --measure {params.measure:q} "
        "--methods {params.methods:q} --langs {params.langs} --out {output.table} "
        "--markdown {output.markdown} --latex {output.latex} --log {log}"


rule publish_map_table:
    input:
        table=collect(
            "<results>/tables/{collection}/{{table}}",
            collection=config["collections"][0],
        ),
        others=collect(
            "<results>/tables/{collection}/map_table.tsv",
            collection=config["collections"],
        ),
        translations=translation_table(),
    output:
        "<results>/{table}",
    log:
        "<logs>/publish_map_table/{table}.log",
    benchmark:
        "<benchmarks>/publish_map_table/{table}.tsv"
    wildcard_constraints:
        table=r"map_(table\.(tsv|md|tex)|cells\.tsv)",
    conda:
        "../envs/evaluate.yaml"
    message:
        "the table of the first collection becomes the experiment's: {output}"
    shell:
        "cp {input.table} {output} 2> {log}"


rule compare_expected:
    input:
        cells=collect(
            "<results>/tables/{collection}/map_cells.tsv",
            collection=config["collections"],
        ),
        expected="config/expected.tsv",
        script=script("compare_expected"),
        library=library("compare_expected"),
    output:
        "<results>/expected.tsv",
    log:
        "<logs>/compare_expected.log",
    benchmark:
        "<benchmarks>/compare_expected.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        experiment=name_of_experiment(),
    message:
        "putting expected figures beside ours: {output}"
    shell:
        "python {input.script} --expected {input.expected} --config {params.experiment} --cells {input.cells} "
        "--out {output} --log {log}"
