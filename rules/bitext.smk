"""Sentence pairs: read, cleaned, checked for alignment, split."""


rule clean_bitext:
    input:
        files=bitext_files,
        exclude=excluded_files,
        collections=ancient(excluded_collections),  # a new document or query must not train every model again
        languages=ancient("config/languages.tsv"),
        script=script("clean_bitext"),
        library=library("clean_bitext"),
    output:
        train="<results>/bitext/{lang}/train.tsv",
        dev="<results>/bitext/{lang}/dev.tsv",
        report="<results>/bitext/{lang}/report.json",
    log:
        "<logs>/clean_bitext/{lang}.log",
    benchmark:
        "<benchmarks>/clean_bitext/{lang}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500, 20, most_mb=8000),  # corpora larger than that have a `limit`
        runtime=duration(60),
    params:
        sources=bitext_sources_argument,
        languages=language_rows,
        settings=as_argument(bitext_cleaning()),
    message:
        "cleaning the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --lang {wildcards.lang} --sources {params.sources:q} --settings {params.settings:q} "
        "--exclude {input.exclude:q} {input.collections} "
        "--languages {input.languages} --language-table {params.languages:q} "
        "--out-train {output.train} --out-dev {output.dev} --report {output.report} --log {log}"
