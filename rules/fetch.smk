"""Everything that comes from elsewhere, and the bundled collection."""


localrules:
    fetch_dataset,


rule fetch_dataset:
    message:
        "fetching {wildcards.dataset}"
    input:
        script=script("fetch_dataset"),
        library=library("fetch_dataset"),
    output:
        "results/data/{dataset}",
    params:
        row=dataset_row,
    log:
        "<logs>/fetch_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/fetch_dataset/{dataset}.tsv"
    conda:
        "../envs/data.yaml"
    retries: 1
    shell:
        "python {input.script} --name {wildcards.dataset} --datasets config/datasets.tsv "
        "--lock results/data.lock.tsv --out {output} --log {log}"


rule generate_atlas:
    message:
        "generating the bundled collection"
    input:
        script=script("generate_atlas"),
        library=library("generate_atlas"),
        frames="workflow/scripts/optical/atlas_frames.yaml",
    output:
        ATLAS_FILES,
    params:
        settings=as_argument(config["atlas"]),
    log:
        "<logs>/generate_atlas.log",
    benchmark:
        "<benchmarks>/generate_atlas.tsv"
    conda:
        "../envs/data.yaml"
    shell:
        "python {input.script} --settings {params.settings:q} --out results/atlas --log {log}"
