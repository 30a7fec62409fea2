"""What a pruned index (PLAID) would lose: the searches of the main table made through one, beside the exact ones.

    snakemake --cores 8 --sdm conda -- results/pruned_table.tsv

The index is fast-plaid's, which wants a torch of its own: its rules run in an environment of their own.
"""


rule index_collection:
    input:
        **code("index_collection"),
        shards=lambda w: jobs.document_vectors(at(w), w.collection),
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
        arguments=arguments("shards", keys=["search.pruned.bits"]),
    message:
        "making a pruned index of the documents of {wildcards.collection}"
    shell:
        RUN_MODEL


rule search_pruned:
    input:
        **code("search_pruned"),
        encoders=lambda w: jobs.query_encoders(at(w), w.collection, w.lang),
        translations=lambda w: translations.translated_queries(at(w), w.collection, w.lang, "translated"),
        index="{results}/pruned_index/{collection}",
        collection=lambda w: at(w).collection(w.collection),
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
            "index",
            keys=["search.top_k", "search.pruned.probes", "search.pruned.candidates"],
            jobs=lambda w: jobs.searches(at(w), w.collection, w.lang, "pruned"),
        ),
    message:
        "searching the pruned index of {wildcards.collection} in {wildcards.lang}"
    shell:
        RUN_MODEL


use rule evaluate_run as evaluate_pruned with:
    input:
        **code("evaluate_run"),
        runs=lambda w: jobs.folders_of_runs(at(w), w.collection, w.lang, pruned=True),
        prepared=lambda w: at(w).collection(w.collection),
    output:
        "{results}/pruned_scores/{collection}/{lang}.tsv",
    log:
        "{results}/logs/evaluate_pruned/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/evaluate_pruned/{collection}/{lang}.tsv"
    params:
        arguments=arguments(
            "collection",
            keys=["measures"],
            jobs=lambda w: jobs.evaluations(at(w), w.collection, w.lang, pruned=True),
            passages=lambda w: at(w).config.collection_table[w.collection].split is not None,
        ),
    message:
        "scoring the pruned runs of {wildcards.collection} in {wildcards.lang}"


use rule make_study_table as make_pruned_table with:
    input:
        **code("make_study_table"),
        scores=lambda w: jobs.files_in(jobs.pruned_conditions(at(w)), "scores"),
    output:
        "{results}/pruned_table.tsv",
    log:
        "{results}/logs/make_pruned_table/pruned_table.log",
    benchmark:
        "{results}/benchmarks/make_pruned_table/pruned_table.tsv"
    params:
        arguments=arguments(
            keys=["measures"],
            jobs=lambda w: jobs.pruned_conditions(at(w)),
            compare="variants",
            reference=jobs.EXACT,
            levels=lambda w: at(w).levels(),
            axis="search",
        ),
    message:
        "making the table of what pruning loses: {output}"
