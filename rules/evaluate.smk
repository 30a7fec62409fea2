"""Runs to per-query scores to tables."""


localrules:
    publish_map_table,


rule evaluate_run:
    message:
        "scoring the runs of {wildcards.collection} in {wildcards.lang}"
    input:
        runs=runs_to_evaluate,
        collection="<results>/collections/{collection}",
        script=script("evaluate_run"),
        library=library("evaluate_run"),
    output:
        "<results>/scores/{collection}/{lang}.tsv",
    params:
        jobs=evaluation_jobs,
        measures=config["measures"],
    log:
        "<logs>/evaluate_run/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/evaluate_run/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(500, 10),
        runtime=60,
    shell:
        "python {input.script} --qrels {input.collection}/qrels.txt --jobs {params.jobs:q} "
        "--measures {params.measures} --collection {wildcards.collection} --out {output} --log {log}"


rule compare_methods:
    message:
        "comparing the methods on {wildcards.collection}"
    input:
        scores=scores_of,
        script=script("compare_methods"),
        library=library("compare_methods"),
    output:
        "<results>/tables/{collection}/map_cells.tsv",
    params:
        methods=config["methods"],
        langs=collection_languages_of_table,
        measures=config["measures"],
        reference=config["reference"],
        levels=as_argument(levels()),
    log:
        "<logs>/compare_methods/{collection}.log",
    benchmark:
        "<benchmarks>/compare_methods/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(500, 10),
        runtime=60,
    shell:
        "python {input.script} --scores {input.scores} --collection {wildcards.collection} "
        "--methods {params.methods} --langs {params.langs} --measures {params.measures} "
        "--reference {params.reference} --levels {params.levels:q} --out {output} --log {log}"


rule make_map_table:
    message:
        "making the table of {wildcards.collection}"
    input:
        cells="<results>/tables/{collection}/map_cells.tsv",
        script=script("make_map_table"),
        library=library("make_map_table"),
    output:
        table="<results>/tables/{collection}/map_table.tsv",
        markdown="<results>/tables/{collection}/map_table.md",
        latex="<results>/tables/{collection}/map_table.tex",
    params:
        methods=config["methods"],
        langs=collection_languages_of_table,
        measure=config["measures"][0],
    log:
        "<logs>/make_map_table/{collection}.log",
    benchmark:
        "<benchmarks>/make_map_table/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    shell:
        "python {input.script} --cells {input.cells} --collection {wildcards.collection} --measure {params.measure} "
        "--methods {params.methods} --langs {params.langs} --out {output.table} "
        "--markdown {output.markdown} --latex {output.latex} --log {log}"


rule publish_map_table:
    message:
        "the table of the first collection becomes the experiment's: {output}"
    input:
        collect("<results>/tables/{collection}/{{table}}", collection=config["collections"][0]),
        collect("<results>/tables/{collection}/map_table.tsv", collection=config["collections"]),
    output:
        "<results>/{table}",
    wildcard_constraints:
        table=r"map_(table\.(tsv|md|tex)|cells\.tsv)",
    log:
        "<logs>/publish_map_table/{table}.log",
    benchmark:
        "<benchmarks>/publish_map_table/{table}.tsv"
    conda:
        "../envs/evaluate.yaml"
    shell:
        "cp {input[0]} {output} 2> {log}"
