"""Texts to token ids in memory-mapped files."""


rule train_tokeniser:
    input:
        texts=lambda w: models.pretraining_texts(at(w)),
        script=script("train_tokeniser"),
        library=library("train_tokeniser"),
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
        arguments=arguments(texts=lambda w: models.pretraining_texts(at(w))),
        vocabulary_size=lambda w: at(w).config.tokeniser.vocabulary_size,
        longest=lambda w: settings.longest_text(at(w)),
    message:
        "training one tokeniser for all languages"
    shell:
        "python {input.script} {params.arguments} --vocabulary-size {params.vocabulary_size} "
        "--longest {params.longest} --out {output} --log {log}"


rule tokenise_text:
    input:
        tokeniser=lambda w: models.tokeniser(at(w)),
        texts=lambda w: models.pretraining_texts(at(w)),
        script=script("tokenise_text"),
        library=library("tokenise_text"),
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
        arguments=arguments(texts=lambda w: models.pretraining_texts(at(w))),
    message:
        "tokenising the pre-training text"
    shell:
        "python {input.script} {params.arguments} --tokeniser {input.tokeniser:q} --out {output} --log {log}"


rule tokenise_bitext:
    input:
        tokeniser=lambda w: models.tokeniser(at(w)),
        foreign_tokeniser=[],
        bitext=lambda w: at(w).bitext(w.lang),
        script=script("tokenise_bitext"),
        library=library("tokenise_bitext"),
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
        foreign=option("foreign_tokeniser"),
    message:
        "tokenising the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --tokeniser {input.tokeniser:q} {params.foreign:q} --bitext {input.bitext} "
        "--out {output} --log {log}"


use rule tokenise_bitext as tokenise_extended with:
    input:
        tokeniser=lambda w: models.tokeniser(at(w)),
        foreign_tokeniser=lambda w: models.extended(at(w), w.lang),
        bitext=lambda w: at(w).bitext(w.lang),
        script=script("tokenise_bitext"),
        library=library("tokenise_bitext"),
    output:
        directory("{results}/tokens/extended/{lang}"),
    log:
        "{results}/logs/tokenise_extended/{lang}.log",
    benchmark:
        "{results}/benchmarks/tokenise_extended/{lang}.tsv"


rule tokenise_training_set:
    input:
        tokeniser=lambda w: models.tokeniser(at(w)),
        training_set=lambda w: at(w).training_set(w.owner, w.lang),
        script=script("tokenise_training_set"),
        library=library("tokenise_training_set"),
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
    message:
        "tokenising the training set of {wildcards.owner}, {wildcards.lang}"
    shell:
        "python {input.script} --tokeniser {input.tokeniser:q} --training-set {input.training_set} "
        "--out {output} --log {log}"
