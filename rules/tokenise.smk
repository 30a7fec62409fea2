"""Texts to token ids in memory-mapped files."""


rule train_tokeniser:
    input:
        **code("train_tokeniser"),
        texts=lambda w: models.pretraining_texts(at(w)),
    output:
        directory("{results}/tokeniser"),
    log:
        "{results}/logs/train_tokeniser.log",
    benchmark:
        "{results}/benchmarks/train_tokeniser.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **needs("train_tokeniser"),
    params:
        arguments=arguments("texts", keys=["tokeniser.vocabulary_size"], longest=lambda w: settings.longest_text(at(w))),
    message:
        "training one tokeniser for all languages"
    shell:
        RUN


rule tokenise_text:
    input:
        **code("tokenise_text"),
        tokeniser=lambda w: models.tokeniser(at(w)),
        texts=lambda w: models.pretraining_texts(at(w)),
    output:
        directory("{results}/tokens/text"),
    log:
        "{results}/logs/tokenise_text.log",
    benchmark:
        "{results}/benchmarks/tokenise_text.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **needs("tokenise_text"),
    params:
        arguments=arguments("tokeniser", "texts"),
    message:
        "tokenising the pre-training text"
    shell:
        RUN


rule tokenise_bitext:
    input:
        **code("tokenise_bitext"),
        tokeniser=lambda w: models.tokeniser(at(w)),
        bitext=lambda w: at(w).bitext(w.lang),
    output:
        directory("{results}/tokens/bitext/{lang}"),
    log:
        "{results}/logs/tokenise_bitext/{lang}.log",
    benchmark:
        "{results}/benchmarks/tokenise_bitext/{lang}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **needs("tokenise_bitext"),
    params:
        arguments=arguments("tokeniser", "foreign_tokeniser", "bitext"),
    message:
        "tokenising the sentence pairs of {wildcards.lang}"
    shell:
        RUN


use rule tokenise_bitext as tokenise_extended with:
    input:
        **code("tokenise_bitext"),
        tokeniser=lambda w: models.tokeniser(at(w)),
        foreign_tokeniser=lambda w: models.extended(at(w), w.lang),
        bitext=lambda w: at(w).bitext(w.lang),
    output:
        directory("{results}/tokens/extended/{lang}"),
    log:
        "{results}/logs/tokenise_extended/{lang}.log",
    benchmark:
        "{results}/benchmarks/tokenise_extended/{lang}.tsv"


rule tokenise_training_set:
    input:
        **code("tokenise_training_set"),
        tokeniser=lambda w: models.tokeniser(at(w)),
        training_set=lambda w: at(w).training_set(w.owner, w.lang),
    output:
        directory("{results}/tokens/training_sets/{owner}/{lang}"),
    log:
        "{results}/logs/tokenise_training_set/{owner}/{lang}.log",
    benchmark:
        "{results}/benchmarks/tokenise_training_set/{owner}/{lang}.tsv"
    wildcard_constraints:
        owner=TRAINING_SETS,
    conda:
        "../envs/data.yaml"
    resources:
        **needs("tokenise_training_set"),
    params:
        arguments=arguments("tokeniser", "training_set"),
    message:
        "tokenising the training set of {wildcards.owner}, {wildcards.lang}"
    shell:
        RUN
