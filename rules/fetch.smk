"""Everything that comes from elsewhere, and the bundled collection."""


localrules:
    fetch_dataset,


rule fetch_dataset:
    input:
        script=script("fetch_dataset"),
        library=library("fetch_dataset"),
    output:
        "results/data/{dataset}",
    log:
        "<logs>/fetch_dataset/{dataset}.log",
    benchmark:
        "<benchmarks>/fetch_dataset/{dataset}.tsv"
    retries: 1
    conda:
        "../envs/data.yaml"
    params:
        row=dataset_row,
    message:
        "fetching {wildcards.dataset}"
    shell:
        "python {input.script} --name {wildcards.dataset} --datasets config/datasets.tsv "
        "--lock results/data.lock.tsv --out {output} --log {log}"


rule generate_atlas:
    input:
        script=script("generate_atlas"),
        library=library("generate_atlas"),
        frames=ATLAS_FRAMES,
    output:
        ATLAS_FILES,
    log:
        "<logs>/generate_atlas.log",
    benchmark:
        "<benchmarks>/generate_atlas.tsv"
    conda:
        "../envs/data.yaml"
    params:
        seed=config["atlas"]["seed"],
        settings=as_argument({key: value for key, value in config["atlas"].items() if key != "seed"}),
    message:
        "generating the bundled collection"
    shell:
        "python {input.script} --seed {params.seed} --settings {params.settings:q} --out results/atlas --log {log}"
