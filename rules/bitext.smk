"""Sentence pairs: read, cleaned, checked for alignment, split."""


rule clean_bitext:
    message:
        "cleaning the sentence pairs of {wildcards.lang}"
    input:
        files=bitext_files,
        exclude=excluded_files,
        languages="config/languages.tsv",
        script=script("clean_bitext"),
        library=library("clean_bitext"),
    output:
        train="<results>/bitext/{lang}/train.tsv",
        dev="<results>/bitext/{lang}/dev.tsv",
        report="<results>/bitext/{lang}/report.json",
    params:
        sources=bitext_sources_argument,
        settings=as_argument(bitext_cleaning()),
    log:
        "<logs>/clean_bitext/{lang}.log",
    benchmark:
        "<benchmarks>/clean_bitext/{lang}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500, 20),
        runtime=60,
    shell:
        "python {input.script} --lang {wildcards.lang} --sources {params.sources:q} --settings {params.settings:q} "
        "--exclude {input.exclude} --languages {input.languages} "
        "--out-train {output.train} --out-dev {output.dev} --report {output.report} --log {log}"
