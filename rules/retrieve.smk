"""Collections, their vectors, and the searches that make runs: of the whole, or of parts whose runs are merged."""


rule prepare_collection:
    input:
        **code("prepare_collection"),
        files=lambda w: sources.collection_files(at(w), w.collection),
        fetched=lambda w: downloads.fetched_of_collection(at(w), w.collection),
        tokeniser=lambda w: models.splitting_tokeniser(at(w), w.collection),
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
            *("collection", "tokeniser"),
            settings=lambda w: sources.collection_block(at(w), w.collection),
            languages=lambda w: sources.query_languages(at(w), w.collection),
        ),
    message:
        "preparing the collection {wildcards.collection}"
    shell:
        RUN


rule encode_collection:
    input:
        **code("encode_collection"),
        encoder=lambda w: models.teacher(at(w)),
        prepared=lambda w: at(w).collection(w.collection),
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
        **needs(
            "encode_collection",
            model_mb=lambda w, input, precision: memory.encoding_mb(str(input.encoder), input.prepared, precision),
        ),
    params:
        arguments=arguments("encoder", "part"),
    message:
        "encoding the documents of {wildcards.collection}, once for all languages and methods; progress: {log}"
    shell:
        f"{RUN_MODEL} --documents {{input.prepared}}/documents.jsonl"


use rule encode_collection as encode_part with:
    output:
        directory("{results}/part_vectors/{collection}/{part}"),
    log:
        "{results}/logs/encode_part/{collection}/{part}.log",
    benchmark:
        "{results}/benchmarks/encode_part/{collection}/{part}.tsv"
    message:
        "encoding documents of {wildcards.collection}, part {wildcards.part}"


use rule encode_collection as encode_with_model with:
    input:
        **code("encode_collection"),
        encoder=lambda w: models.passage_encoder(at(w), w.model),
        bases=lambda w: models.passage_encoder_bases(at(w), w.model),
        prepared=lambda w: at(w).collection(w.collection),
    output:
        directory("{results}/model_vectors/{collection}/{model}"),
    log:
        "{results}/logs/encode_with_model/{collection}/{model}.log",
    benchmark:
        "{results}/benchmarks/encode_with_model/{collection}/{model}.tsv"
    wildcard_constraints:
        model=rf"dense|extended/[a-z]{{2,3}}|students/[a-z]{{2,3}}/({METHODS})/\d+",
    message:
        "encoding the documents of {wildcards.collection} with {wildcards.model} in place of the teacher"


rule search_collection:
    input:
        **code("search_collection"),
        encoders=lambda w: jobs.query_encoders(at(w), w.collection, w.lang),
        other_vectors=lambda w: searching.other_vectors(at(w), w.collection, w.lang),
        translations=lambda w: translations.translated_queries(at(w), w.collection, w.lang, "translated"),
        shards=lambda w: jobs.document_vectors(at(w), w.collection, w.get("part")),
        collection=lambda w: at(w).collection(w.collection),
    output:
        runs=directory("{results}/runs/{collection}/{lang}/maxsim"),
    log:
        "{results}/logs/search_collection/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/search_collection/{collection}/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs(
            "search_collection",
            more_mb=experiment.config.search.memory_mb,
            model_mb=lambda w, input, precision: memory.searching_mb(
                input, w.lang, experiment.config.search, precision
            ),
        ),
        search_mb=experiment.config.search.memory_mb,
    params:
        arguments=arguments(
            *("shards", "part"),
            keys=["search.top_k"],
            jobs=lambda w: jobs.searches(at(w), w.collection, w.lang, w.get("part", "maxsim")),
        ),
    message:
        "searching {wildcards.collection} in {wildcards.lang}"
    shell:
        f"{RUN_MODEL} --memory-mb {{resources.search_mb}}"


use rule search_collection as search_part with:
    output:
        runs=directory("{results}/part_runs/{collection}/{lang}/{part}"),
    log:
        "{results}/logs/search_part/{collection}/{lang}/{part}.log",
    benchmark:
        "{results}/benchmarks/search_part/{collection}/{lang}/{part}.tsv"
    message:
        "searching {wildcards.collection} in {wildcards.lang}, part {wildcards.part}"


rule merge_runs:
    input:
        **code("merge_runs"),
        parts=lambda w: jobs.part_runs(at(w), w.collection, w.lang),
    output:
        runs=directory("{results}/runs/{collection}/{lang}/merged"),
    log:
        "{results}/logs/merge_runs/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/merge_runs/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("merge_runs"),
    params:
        arguments=arguments(keys=["search.top_k"], jobs=lambda w: jobs.merges(at(w), w.collection, w.lang)),
    message:
        "merging the runs of the parts of {wildcards.collection} in {wildcards.lang}"
    shell:
        RUN


rule fuse_runs:
    input:
        **code("fuse_runs"),
        runs=lambda w: fusions.folders_of_joined_runs(at(w), w.collection, w.lang),
    output:
        runs=directory("{results}/runs/{collection}/{lang}/fused"),
    log:
        "{results}/logs/fuse_runs/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/fuse_runs/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("fuse_runs"),
    params:
        arguments=arguments(keys=["search.top_k"], jobs=lambda w: fusions.fusions(at(w), w.collection, w.lang)),
    message:
        "joining runs of {wildcards.collection} in {wildcards.lang}"
    shell:
        RUN


rule search_lexical:
    input:
        **code("search_lexical"),
        table=lambda w: jobs.lexical_tables(at(w), w.collection, w.lang),
        translations=lambda w: translations.translated_queries(at(w), w.collection, w.lang, "translated-lexical"),
        collection=lambda w: at(w).collection(w.collection),
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
        arguments=arguments(keys=["search.top_k"], jobs=lambda w: jobs.lexical_searches(at(w), w.collection, w.lang)),
    message:
        "searching {wildcards.collection} with the words of {wildcards.lang}"
    shell:
        f"{RUN} --documents {{input.collection}}/documents.jsonl"
