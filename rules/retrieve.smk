"""Collections, their vectors, and the searches that make runs: of the whole, or of parts whose runs are merged."""


scattergather:
    part=config["search"]["parts"],


rule prepare_collection:
    input:
        files=collection_files,
        fetched=fetched_of_collection,
        tokeniser=splitting_tokeniser,
        script=script("prepare_collection"),
        library=library("prepare_collection"),
    output:
        directory("<results>/collections/{collection}"),
    log:
        "<logs>/prepare_collection/{collection}.log",
    benchmark:
        "<benchmarks>/prepare_collection/{collection}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000, 2),
        runtime=duration(240),
    params:
        settings=collection_settings,
        languages=collection_languages,
        tokeniser=option("tokeniser"),
    message:
        "preparing the collection {wildcards.collection}"
    shell:
        "python {input.script} --collection {wildcards.collection} --settings {params.settings:q} "
        "--languages {params.languages} {params.tokeniser:q} --out {output} --log {log}"


rule encode_collection:
    input:
        encoder=teacher(),
        collection="<results>/collections/{collection}",
        script=script("encode_collection"),
        library=library("encode_collection"),
    output:
        directory("<results>/vectors/{collection}"),
    log:
        "<logs>/encode_collection/{collection}.log",
    benchmark:
        "<benchmarks>/encode_collection/{collection}.tsv"
    conda:
        "../envs/train.yaml"
    threads: config["machine"]["threads"]
    resources:
        **model_resources(base_mb=3000, times_input=1, minutes=720),
    params:
        part=WHOLE,
    message:
        "encoding the documents of {wildcards.collection}, once for all languages and methods"
    shell:
        "python {input.script} --encoder {input.encoder:q} --documents {input.collection}/documents.jsonl "
        "--part {params.part} --device {resources.device} --precision {resources.precision} --threads {threads} "
        "--out {output} --log {log}"


use rule encode_collection as encode_part with:
    input:
        encoder=teacher(),
        collection="<results>/collections/{collection}",
        script=script("encode_collection"),
        library=library("encode_collection"),
    output:
        directory("<results>/part_vectors/{collection}/{scatteritem}"),
    log:
        "<logs>/encode_part/{collection}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/encode_part/{collection}/{scatteritem}.tsv"
    resources:
        **model_resources(base_mb=3000, times_input=1 / config["search"]["parts"], minutes=minutes_of_part(720)),
    params:
        part="{scatteritem}",
    message:
        "encoding documents of {wildcards.collection}, part {wildcards.scatteritem}"


use rule encode_collection as encode_with_student with:
    input:
        encoder="<results>/students/{lang}/{method}/{seed}",
        collection="<results>/collections/{collection}",
        script=script("encode_collection"),
        library=library("encode_collection"),
    output:
        directory("<results>/student_vectors/{collection}/{lang}/{method}/{seed}"),
    log:
        "<logs>/encode_with_student/{collection}/{lang}/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/encode_with_student/{collection}/{lang}/{method}/{seed}.tsv"
    message:
        "encoding the documents of {wildcards.collection} with the student {wildcards.method}, seed {wildcards.seed}"


rule search_collection:
    input:
        encoders=query_encoders,
        student_vectors=student_vectors,
        translations=translated_queries("translated"),
        vectors="<results>/vectors/{collection}",
        collection="<results>/collections/{collection}",
        script=script("search_collection"),
        library=library("search_collection"),
    output:
        runs=directory("<results>/runs/{collection}/{lang}/maxsim"),
    log:
        "<logs>/search_collection/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/search_collection/{collection}/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **model_resources(base_mb=2000 + config["search"]["memory_mb"], times_input=0, minutes=240),
        search_mb=config["search"]["memory_mb"],
    params:
        jobs=search_jobs,
        top_k=config["search"]["top_k"],
        part=WHOLE,
    message:
        "searching {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} --shards {input.vectors} --jobs {params.jobs:q} --top-k {params.top_k} --part {params.part} "
        "--memory-mb {resources.search_mb} --device {resources.device} --precision {resources.precision} --threads {threads} "
        "--log {log}"


use rule search_collection as search_part with:
    input:
        encoders=query_encoders,
        translations=translated_queries("translated"),
        vectors="<results>/part_vectors/{collection}/{scatteritem}",
        collection="<results>/collections/{collection}",
        script=script("search_collection"),
        library=library("search_collection"),
    output:
        runs=directory("<results>/part_runs/{collection}/{lang}/{scatteritem}"),
    log:
        "<logs>/search_part/{collection}/{lang}/{scatteritem}.log",
    benchmark:
        "<benchmarks>/search_part/{collection}/{lang}/{scatteritem}.tsv"
    resources:
        **model_resources(base_mb=2000 + config["search"]["memory_mb"], times_input=0, minutes=minutes_of_part(240)),
        search_mb=config["search"]["memory_mb"],
    params:
        part="{scatteritem}",
    message:
        "searching {wildcards.collection} in {wildcards.lang}, part {wildcards.scatteritem}"


rule merge_runs:
    input:
        parts=gather.part("<results>/part_runs/{{collection}}/{{lang}}/{scatteritem}"),
        script=script("merge_runs"),
        library=library("merge_runs"),
    output:
        directory("<results>/runs/{collection}/{lang}/merged"),
    log:
        "<logs>/merge_runs/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/merge_runs/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(1000, 10),
        runtime=duration(60),
    params:
        top_k=config["search"]["top_k"],
    message:
        "merging the runs of the parts of {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} --parts {input.parts} --top-k {params.top_k} --out {output} --log {log}"


rule search_lexical:
    input:
        table=lexical_tables,
        translations=translated_queries("translated-lexical"),
        collection="<results>/collections/{collection}",
        script=script("search_lexical"),
        library=library("search_lexical"),
    output:
        runs=directory("<results>/runs/{collection}/{lang}/lexical"),
    log:
        "<logs>/search_lexical/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/search_lexical/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(1000, 10),
        runtime=duration(120),
    params:
        jobs=lexical_jobs,
        top_k=config["search"]["top_k"],
    message:
        "searching {wildcards.collection} with the words of {wildcards.lang}"
    shell:
        "python {input.script} --documents {input.collection}/documents.jsonl --jobs {params.jobs:q} "
        "--top-k {params.top_k} --log {log}"
