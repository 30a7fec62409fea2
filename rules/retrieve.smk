"""Collections, their vectors, and the searches that make runs: of the whole, or of parts whose runs are merged."""

WHOLE = "1-of-1"  # a collection that is not in parts, as parts are numbered


rule prepare_collection:
    input:
        files=lambda w: sources.collection_files(at(w), w.collection),
        fetched=lambda w: downloads.fetched_of_collection(at(w), w.collection),
        tokeniser=lambda w: models.splitting_tokeniser(at(w), w.collection),
        script=script("prepare_collection"),
        library=library("prepare_collection"),
    output:
        directory("{results}/collections/{collection}"),
    log:
        "{results}/logs/prepare_collection/{collection}.log",
    benchmark:
        "{results}/benchmarks/prepare_collection/{collection}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **needs("prepare_collection"),
    params:
        arguments=arguments(
            settings=lambda w: sources.collection_block(at(w), w.collection),
            languages=lambda w: ["en", *at(w).languages_of(w.collection)],
        ),
        tokeniser=option("tokeniser"),
    message:
        "preparing the collection {wildcards.collection}"
    shell:
        "python {input.script} {params.arguments} --collection {wildcards.collection} {params.tokeniser:q} "
        "--out {output} --log {log}"


rule encode_collection:
    input:
        encoder=lambda w: models.teacher(at(w)),
        collection=lambda w: at(w).collection(w.collection),
        script=script("encode_collection"),
        library=library("encode_collection"),
    output:
        directory("{results}/vectors/{collection}"),
    log:
        "{results}/logs/encode_collection/{collection}.log",
    benchmark:
        "{results}/benchmarks/encode_collection/{collection}.tsv"
    conda:
        "../envs/train.yaml"
    threads: THREADS
    resources:
        **needs("encode_collection"),
    params:
        part=WHOLE,
    message:
        "encoding the documents of {wildcards.collection}, once for all languages and methods"
    shell:
        "python {input.script} --encoder {input.encoder:q} --documents {input.collection}/documents.jsonl "
        f"--part {{params.part}} {ON_DEVICE} --out {{output}} --log {{log}}"


use rule encode_collection as encode_part with:
    output:
        directory("{results}/part_vectors/{collection}/{part}"),
    log:
        "{results}/logs/encode_part/{collection}/{part}.log",
    benchmark:
        "{results}/benchmarks/encode_part/{collection}/{part}.tsv"
    resources:
        **needs("encode_collection", parts=PARTS),
    params:
        part="{part}",
    message:
        "encoding documents of {wildcards.collection}, part {wildcards.part}"


use rule encode_collection as encode_with_student with:
    input:
        encoder=lambda w: at(w).student(w.lang, w.method, w.seed),
        bases=lambda w: models.student_bases(at(w), w.lang),
        collection=lambda w: at(w).collection(w.collection),
        script=script("encode_collection"),
        library=library("encode_collection"),
    output:
        directory("{results}/student_vectors/{collection}/{lang}/{method}/{seed}"),
    log:
        "{results}/logs/encode_with_student/{collection}/{lang}/{method}/{seed}.log",
    benchmark:
        "{results}/benchmarks/encode_with_student/{collection}/{lang}/{method}/{seed}.tsv"
    message:
        "encoding the documents of {wildcards.collection} with the student {wildcards.method}, seed {wildcards.seed}"


rule search_collection:
    input:
        encoders=lambda w: jobs.query_encoders(at(w), w.lang),
        student_vectors=lambda w: jobs.student_vectors(at(w), w.collection, w.lang),
        translations=lambda w: jobs.translated_queries(at(w), w.lang, "translated"),
        vectors=lambda w: jobs.document_vectors(at(w), w.collection),
        collection=lambda w: at(w).collection(w.collection),
        script=script("search_collection"),
        library=library("search_collection"),
    output:
        runs=directory("{results}/runs/{collection}/{lang}/maxsim"),
    log:
        "{results}/logs/search_collection/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/search_collection/{collection}/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("search_collection", more_mb=experiment.config.search.memory_mb),
        search_mb=experiment.config.search.memory_mb,
    params:
        arguments=arguments(
            jobs=lambda w: jobs.searches(
                at(w), w.collection, w.lang, f"{w.results}/runs/{w.collection}/{w.lang}/maxsim"
            ),
            shards=lambda w: jobs.document_vectors(at(w), w.collection),
        ),
        top_k=lambda w: at(w).config.search.top_k,
        part=WHOLE,
    message:
        "searching {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --top-k {params.top_k} "
        f"--part {{params.part}} --memory-mb {{resources.search_mb}} {ON_DEVICE} --log {{log}}"


use rule search_collection as search_part with:
    input:
        encoders=lambda w: jobs.query_encoders(at(w), w.lang),
        translations=lambda w: jobs.translated_queries(at(w), w.lang, "translated"),
        vectors=lambda w: at(w).place("vectors", "part_vectors", w.collection, w.part),
        collection=lambda w: at(w).collection(w.collection),
        script=script("search_collection"),
        library=library("search_collection"),
    output:
        runs=directory("{results}/part_runs/{collection}/{lang}/{part}"),
    log:
        "{results}/logs/search_part/{collection}/{lang}/{part}.log",
    benchmark:
        "{results}/benchmarks/search_part/{collection}/{lang}/{part}.tsv"
    resources:
        **needs("search_collection", parts=PARTS, more_mb=experiment.config.search.memory_mb),
        search_mb=experiment.config.search.memory_mb,
    params:
        arguments=arguments(
            jobs=lambda w: jobs.searches(
                at(w), w.collection, w.lang, f"{w.results}/part_runs/{w.collection}/{w.lang}/{w.part}"
            ),
            shards=lambda w: [at(w).place("vectors", "part_vectors", w.collection, w.part)],
        ),
        part="{part}",
    message:
        "searching {wildcards.collection} in {wildcards.lang}, part {wildcards.part}"


rule merge_runs:
    input:
        parts=lambda w: jobs.part_runs(at(w), w.collection, w.lang),
        script=script("merge_runs"),
        library=library("merge_runs"),
    output:
        directory("{results}/runs/{collection}/{lang}/merged"),
    log:
        "{results}/logs/merge_runs/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/merge_runs/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("merge_runs"),
    params:
        arguments=arguments(parts=lambda w: jobs.part_runs(at(w), w.collection, w.lang)),
        top_k=lambda w: at(w).config.search.top_k,
    message:
        "merging the runs of the parts of {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --top-k {params.top_k} --out {output} --log {log}"


rule search_lexical:
    input:
        table=lambda w: jobs.lexical_tables(at(w), w.lang),
        translations=lambda w: jobs.translated_queries(at(w), w.lang, "translated-lexical"),
        collection=lambda w: at(w).collection(w.collection),
        script=script("search_lexical"),
        library=library("search_lexical"),
    output:
        runs=directory("{results}/runs/{collection}/{lang}/lexical"),
    log:
        "{results}/logs/search_lexical/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/search_lexical/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("search_lexical"),
    params:
        arguments=arguments(
            jobs=lambda w: jobs.lexical_searches(
                at(w), w.collection, w.lang, f"{w.results}/runs/{w.collection}/{w.lang}/lexical"
            )
        ),
        top_k=lambda w: at(w).config.search.top_k,
    message:
        "searching {wildcards.collection} with the words of {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --documents {input.collection}/documents.jsonl "
        "--top-k {params.top_k} --log {log}"
