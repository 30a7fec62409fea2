"""What a pruned index (PLAID) would lose: the searches of the main table made through one, beside the exact ones.

    snakemake --cores 8 --sdm conda -- results/pruned_table.tsv

The index is fast-plaid's, which wants a torch of its own: its rules run in an environment of their own.
"""


rule index_collection:
    input:
        vectors=lambda w: jobs.document_vectors(at(w), w.collection),
        script=script("index_collection"),
        library=library("index_collection"),
    output:
        directory("{results}/pruned_index/{collection}"),
    log:
        "{results}/logs/index_collection/{collection}.log",
    benchmark:
        "{results}/benchmarks/index_collection/{collection}.tsv"
    conda:
        "../envs/pruned.yaml"
    threads: THREADS
    resources:
        **needs("index_collection"),
    params:
        arguments=arguments(shards=lambda w: jobs.document_vectors(at(w), w.collection)),
        bits=lambda w: at(w).config.search.pruned.bits,
    message:
        "making a pruned index of the documents of {wildcards.collection}"
    shell:
        "python {input.script} {params.arguments} --bits {params.bits} " f"{ON_DEVICE} --out {{output}} --log {{log}}"


rule search_pruned:
    input:
        encoders=lambda w: jobs.query_encoders(at(w), w.lang),
        translations=lambda w: jobs.translated_queries(at(w), w.lang, "translated"),
        index="{results}/pruned_index/{collection}",
        collection=lambda w: at(w).collection(w.collection),
        script=script("search_pruned"),
        library=library("search_pruned"),
    output:
        runs=directory("{results}/runs/{collection}/{lang}/pruned"),
    log:
        "{results}/logs/search_pruned/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/search_pruned/{collection}/{lang}.tsv"
    conda:
        "../envs/pruned.yaml"
    resources:
        **needs("search_pruned"),
    params:
        arguments=arguments(
            jobs=lambda w: jobs.searches(
                at(w), w.collection, w.lang, f"{w.results}/runs/{w.collection}/{w.lang}/pruned"
            )
        ),
        top_k=lambda w: at(w).config.search.top_k,
        probes=lambda w: at(w).config.search.pruned.probes,
        candidates=lambda w: at(w).config.search.pruned.candidates,
    message:
        "searching the pruned index of {wildcards.collection} in {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --index {input.index} --top-k {params.top_k} "
        "--probes {params.probes} --candidates {params.candidates} "
        f"{ON_DEVICE} --log {{log}}"


use rule evaluate_run as evaluate_pruned with:
    input:
        runs=lambda w: jobs.folders_of_runs(
            at(w), w.collection, w.lang, jobs.pruned_kinds(at(w), w.collection), jobs.PRUNED
        ),
        collection=lambda w: at(w).collection(w.collection),
        script=script("evaluate_run"),
        library=library("evaluate_run"),
    output:
        "{results}/pruned_scores/{collection}/{lang}.tsv",
    log:
        "{results}/logs/evaluate_pruned/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/evaluate_pruned/{collection}/{lang}.tsv"
    params:
        arguments=arguments(
            jobs=lambda w: jobs.evaluations(
                at(w), w.collection, w.lang, jobs.pruned_kinds(at(w), w.collection), jobs.PRUNED
            ),
            measures=lambda w: at(w).config.measures,
        ),
    message:
        "scoring the pruned runs of {wildcards.collection} in {wildcards.lang}"


use rule make_study_table as make_pruned_table with:
    input:
        scores=lambda w: jobs.files_in(jobs.pruned_conditions(at(w)), "scores"),
        script=script("make_study_table"),
        library=library("make_study_table"),
    output:
        "{results}/pruned_table.tsv",
    log:
        "{results}/logs/make_pruned_table/pruned_table.log",
    benchmark:
        "{results}/benchmarks/make_pruned_table/pruned_table.tsv"
    params:
        arguments=arguments(
            jobs=lambda w: jobs.pruned_conditions(at(w)),
            compare="variants",
            reference=jobs.EXACT,
            measures=lambda w: at(w).config.measures,
            levels=lambda w: at(w).levels(),
            axis="search",
        ),
    message:
        "making the table of what pruning loses: {output}"
