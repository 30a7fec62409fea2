"""Everything that comes from elsewhere, and the bundled collection.

What is fetched is decided by its address, checksum or commit alone: newer code fetches nothing again, so that the library
is no input here, and the program's age does not count.
"""


localrules:
    fetch_all,
    fetch_dataset,
    fetch_ir_datasets,
    fetch_model,


rule fetch_all:
    input:
        downloads,
        downloads_of_variants,
    output:
        "<results>/downloads.txt",
    log:
        "<logs>/fetch_all.log",
    benchmark:
        "<benchmarks>/fetch_all.tsv"
    conda:
        "../envs/data.yaml"
    message:
        "everything that this experiment downloads is there, and named in {output}"
    shell:
        "printf '%s\\n' {input} > {output} 2> {log}"


rule fetch_dataset:
    input:
        script=ancient(script("fetch_dataset")),
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


rule fetch_model:
    input:
        script=ancient(script("fetch_model")),
    output:
        directory("results/models/{owner}--{name}--{commit}"),
    log:
        "<logs>/fetch_model/{owner}--{name}--{commit}.log",
    benchmark:
        "<benchmarks>/fetch_model/{owner}--{name}--{commit}.tsv"
    wildcard_constraints:
        owner="[^/]+",
        name="[^/]+",
        commit="[0-9a-f]{40}",
    retries: 1
    conda:
        "../envs/data.yaml"
    message:
        "fetching the model {wildcards.owner}/{wildcards.name}@{wildcards.commit}"
    shell:
        "python {input.script} --id {wildcards.owner}/{wildcards.name} --revision {wildcards.commit} --out {output} "
        "--log {log}"


rule fetch_ir_datasets:
    input:
        script=ancient(script("fetch_ir_datasets")),
    output:
        "results/data/ir_datasets/{catalogue}.json",
    log:
        "<logs>/fetch_ir_datasets/{catalogue}.log",
    benchmark:
        "<benchmarks>/fetch_ir_datasets/{catalogue}.tsv"
    wildcard_constraints:
        catalogue="[^/]+",
    retries: 1
    conda:
        "../envs/data.yaml"
    params:
        wanted=parts_of_catalogue,
    message:
        "fetching {wildcards.catalogue} of ir_datasets"
    shell:
        "python {input.script} --id {params.wanted[id]:q} --parts {params.wanted[parts]} --out {output} --log {log}"


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
