"""Any language to any language: queries in each language against the passages in each, and against all in one index.

A collection with passages in several languages is a collection for each of them; their scores are the matrix.
"""


rule make_matrix_table:
    input:
        **code("make_matrix_table"),
        scores=lambda w: matrices.matrix_scores(at(w), w.collection),
    output:
        out="{results}/tables/{collection}/matrix.tsv",
        markdown="{results}/tables/{collection}/matrix.md",
    log:
        "{results}/logs/make_matrix_table/{collection}.log",
    benchmark:
        "{results}/benchmarks/make_matrix_table/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("make_matrix_table"),
    params:
        arguments=arguments(
            *("scores", "collection", "out", "markdown"),
            keys=["methods", "measure"],
            langs=lambda w: matrices.query_languages(at(w), w.collection),
            passages=lambda w: matrices.passages_of(at(w), w.collection),
            references=lambda w: matrices.references(at(w)),
        ),
    message:
        "comparing all pairs of languages on {wildcards.collection}"
    shell:
        RUN


rule make_one_index_table:
    input:
        **code("make_one_index_table"),
        runs=lambda w: matrices.folders_of_index_runs(at(w), w.collection),
        prepared=lambda w: at(w).collection(w.collection),
    output:
        out="{results}/tables/{collection}/one_index.tsv",
        markdown="{results}/tables/{collection}/one_index.md",
    log:
        "{results}/logs/make_one_index_table/{collection}.log",
    benchmark:
        "{results}/benchmarks/make_one_index_table/{collection}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("make_one_index_table"),
    params:
        arguments=arguments(
            *("prepared", "collection", "out", "markdown"),
            keys=["methods"],
            langs=lambda w: matrices.query_languages(at(w), w.collection),
            passage_languages=lambda w: list(matrices.passages_of(at(w), w.collection).values()),
            references=lambda w: matrices.references(at(w)),
            jobs=lambda w: matrices.index_runs(at(w), w.collection),
            passages=lambda w: at(w).config.collection_table[w.collection].split is not None,
        ),
    message:
        "counting the languages among the first hits on {wildcards.collection}"
    shell:
        RUN


rule plot_matrix:
    input:
        **code("plot_matrix"),
        table="{results}/tables/{collection}/matrix.tsv",
    output:
        **figure("{results}/figures/{collection}/matrix", "Retrieval", "any language to any language"),
    log:
        "{results}/logs/plot_matrix/{collection}.log",
    benchmark:
        "{results}/benchmarks/plot_matrix/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            *("table", "out"),
            keys=["methods", "measure"],
            langs=lambda w: matrices.query_languages(at(w), w.collection),
            passage_languages=lambda w: list(matrices.passages_of(at(w), w.collection).values()),
        ),
    message:
        "drawing the pairs of languages of {wildcards.collection}"
    shell:
        RUN
