"""What a run cost."""


rule make_cost_table:
    input:
        table="<results>/map_table.tsv",
        script=script("make_cost_table"),
        library=library("make_cost_table"),
    output:
        "<results>/cost_table.tsv",
    log:
        "<logs>/make_cost_table.log",
    benchmark:
        "<benchmarks>/make_cost_table.tsv"
    conda:
        "../envs/report.yaml"
    params:
        methods=list(config["method_table"]),
    message:
        "summing what the run cost: {output}"
    shell:
        "python {input.script} --benchmarks $(dirname {output})/benchmarks --methods {params.methods} "
        "--out {output} --log {log}"
