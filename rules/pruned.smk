"""What a pruned index (PLAID) would lose: the searches of the main table made through one, beside the exact ones.

    snakemake --cores 8 --sdm conda -- results/pruned_table.tsv

The index is fast-plaid's, which wants a torch of its own: its rules run in an environment of their own.
"""


include: "common_pruned.smk"


rule index_collection:
    input:
        vectors=document_vectors(),
        script=script("index_collection"),
        library=library("index_collection"),
    output:
        directory("<results>/pruned_index/{collection}"),
    log:
        "<logs>/index_collection/{collection}.log",
    benchmark:
        "<benchmarks>/index_collection/{collection}.tsv"
    conda:
        "../envs/pruned.yaml"
    threads: config["machine"]["threads"]
    resources:
        **model_resources(base_mb=4000, times_input=2, minutes=720),
    params:
        bits=config["search"]["pruned"]["bits"],
    message:
        "making a pruned index of the documents of {wildcards.collection}"
    shell:
        "python {input.script} --shards {input.vectors} --bits {params.bits} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule search_pruned:
    input:
        encoders=query_encoders,
        translations=translated_queries("translated"),
        index="<results>/pruned_index/{collection}",
        collection="<results>/collections/{collection}",
        script=script("search_pruned"),
        library=library("search_pruned"),
    output:
        runs=directory("<results>/runs/{collection}/{lang}/pruned"),
    log:
        "<logs>/search_pruned/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/search_pruned/{collection}/{lang}.tsv"
    conda:
        "../envs/pruned.yaml"
    resources:
        **model_resources(base_mb=2000, times_input=2, minutes=240),
    params:
        jobs=search_jobs,
        top_k=config["search"]["top_k"],
        probes=config["search"]["pruned"]["probes"],
        candidates=config["search"]["pruned"]["candidates"],
    message:
        "searching the pruned index of {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} --index {input.index} --jobs {params.jobs:q} --top-k {params.top_k} "
        "--probes {params.probes} --candidates {params.candidates} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} --log {log}"


use rule evaluate_run as evaluate_pruned with:
    input:
        runs=pruned_runs,
        collection="<results>/collections/{collection}",
        script=script("evaluate_run"),
        library=library("evaluate_run"),
    output:
        "<results>/pruned_scores/{collection}/{lang}.tsv",
    log:
        "<logs>/evaluate_pruned/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/evaluate_pruned/{collection}/{lang}.tsv"
    params:
        jobs=pruned_evaluations,
    message:
        "scoring the pruned runs of {wildcards.collection} in {wildcards.lang}"


use rule make_study_table as make_pruned_table with:
    input:
        scores=pruned_table_scores,
        script=script("make_study_table"),
        library=library("make_study_table"),
    output:
        "<results>/pruned_table.tsv",
    log:
        "<logs>/make_pruned_table/pruned_table.log",
    benchmark:
        "<benchmarks>/make_pruned_table/pruned_table.tsv"
    params:
        jobs=pruned_table_jobs,
        compare="variants",
        reference=EXACT,
        axis="search",
    message:
        "making the table of what pruning loses: {output}"
