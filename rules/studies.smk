"""Studies: experiments that differ in one thing, each made by the rules of the main table, and one table of them all.

snakemake --cores 2 --configfile config/studies/multi30k.yaml -- results/studies/multi30k/table.tsv
"""


include: "common_studies.smk"


# Each variant is the whole workflow with a config of its own, its rules' names begin with the variant's.
for variant, config_of_module in module_configs().items():
    variant_ = f"{variant}_"

    module:
        name: variant
        snakefile:
            "../workflow/Snakefile"
        config:
            config_of_module

    use rule * from variant exclude fetch_dataset, fetch_model, fetch_ir_datasets, generate_atlas as variant_*


rule make_study_table:
    input:
        scores=study_scores,
        bitext=study_bitext,
        script=script("make_study_table"),
        library=library("make_study_table"),
    output:
        "<results>/table.tsv",
    log:
        "<logs>/make_study_table.log",
    benchmark:
        "<benchmarks>/make_study_table.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(1000, 20),
        runtime=duration(120),
    params:
        jobs=study_jobs,
        compare=config["study"]["compare"],
        reference=study_reference(),
        measures=config["measures"],
        levels=as_argument(levels()),
        axis=config["study"]["axis"],
    message:
        "making the table of the study: {output}"
    shell:
        "python {input.script} --jobs {params.jobs:q} --compare {params.compare} --reference {params.reference:q} "
        "--measures {params.measures:q} --levels {params.levels:q} --axis {params.axis} --out {output} --log {log}"


use rule make_study_table as make_alignment_table with:
    input:
        scores=alignment_scores,
        bitext=alignment_bitext,
        script=script("make_study_table"),
        library=library("make_study_table"),
    output:
        "<results>/alignment_quality.tsv",
    log:
        "<logs>/make_alignment_table/alignment_quality.log",
    benchmark:
        "<benchmarks>/make_alignment_table/alignment_quality.tsv"
    params:
        jobs=alignment_table_jobs,
        measures=ALIGNMENT_MEASURES,
    message:
        "making the table of how well names are aligned: {output}"


rule explain_matrix:
    input:
        table="<results>/table.tsv",
        languages=ancient("config/languages.tsv"),
        script=script("explain_matrix"),
        library=library("explain_matrix"),
    output:
        "<results>/distances.tsv",
    log:
        "<logs>/explain_matrix.log",
    benchmark:
        "<benchmarks>/explain_matrix.tsv"
    conda:
        "../envs/evaluate.yaml"
    params:
        axis=config["study"]["axis"],
        language_table=as_argument(config["language_table"]),
    message:
        "relating the matrix of the study to descent and script: {output}"
    shell:
        "python {input.script} --table {input.table} --axis {params.axis} --languages {input.languages} "
        "--language-table {params.language_table:q} --out {output} --log {log}"


rule plot_study:
    input:
        table="<results>/table.tsv",
        script=script("plot_study"),
        library=library("plot_study"),
    output:
        figure="<results>/figure.svg",
        others=multiext("<results>/figure", ".png", ".tsv"),
    log:
        "<logs>/plot_study.log",
    benchmark:
        "<benchmarks>/plot_study.tsv"
    conda:
        "../envs/report.yaml"
    params:
        kind=config["study"]["figure"],
        measure=config["measures"][0],
        methods=config["methods"],
        reference=config["reference"],
        names=ordered_argument(titles_of(config["languages"])),
        axis=config["study"]["axis"],
    message:
        "drawing the study: {output.figure}"
    shell:
        "python {input.script} --table {input.table} --kind {params.kind} --measure {params.measure:q} "
        "--methods {params.methods:q} --reference {params.reference:q} --names {params.names:q} --axis {params.axis} "
        "--out $(dirname {output.figure})/figure --log {log}"
