"""Texts to token ids in memory-mapped files."""


rule train_tokeniser:
    input:
        texts=pretraining_texts(),
        script=script("train_tokeniser"),
        library=library("train_tokeniser"),
    output:
        directory("<results>/tokeniser"),
    log:
        "<logs>/train_tokeniser.log",
    benchmark:
        "<benchmarks>/train_tokeniser.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000, 20),
        runtime=duration(120),
    params:
        vocabulary_size=config["tokeniser"]["vocabulary_size"],
        longest=config["encoder"]["document_length"],
    message:
        "training one tokeniser for all languages"
    shell:
        "python {input.script} --texts {input.texts:q} --vocabulary-size {params.vocabulary_size} "
        "--longest {params.longest} --out {output} --log {log}"


rule tokenise_text:
    input:
        tokeniser=tokeniser(),
        texts=pretraining_texts(),
        script=script("tokenise_text"),
        library=library("tokenise_text"),
    output:
        directory("<results>/tokens/text"),
    log:
        "<logs>/tokenise_text.log",
    benchmark:
        "<benchmarks>/tokenise_text.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500, 2),
        runtime=duration(120),
    message:
        "tokenising the pre-training text"
    shell:
        "python {input.script} --tokeniser {input.tokeniser:q} --texts {input.texts:q} --out {output} --log {log}"


rule tokenise_bitext:
    input:
        tokeniser=tokeniser(),
        foreign_tokeniser=[],
        bitext="<results>/bitext/{lang}/train.tsv",
        script=script("tokenise_bitext"),
        library=library("tokenise_bitext"),
    output:
        directory("<results>/tokens/bitext/{lang}"),
    log:
        "<logs>/tokenise_bitext/{lang}.log",
    benchmark:
        "<benchmarks>/tokenise_bitext/{lang}.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500, 2),
        runtime=duration(60),
    params:
        foreign=option("foreign_tokeniser"),
    message:
        "tokenising the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --tokeniser {input.tokeniser:q} {params.foreign:q} --bitext {input.bitext} "
        "--out {output} --log {log}"


use rule tokenise_bitext as tokenise_extended with:
    input:
        tokeniser=tokeniser(),
        foreign_tokeniser="<results>/extended/{lang}",
        bitext="<results>/bitext/{lang}/train.tsv",
        script=script("tokenise_bitext"),
        library=library("tokenise_bitext"),
    output:
        directory("<results>/tokens/extended/{lang}"),
    log:
        "<logs>/tokenise_extended/{lang}.log",
    benchmark:
        "<benchmarks>/tokenise_extended/{lang}.tsv"


rule tokenise_training_set:
    input:
        tokeniser=tokeniser(),
        training_set="<results>/training_sets/{method}/{lang}",
        script=script("tokenise_training_set"),
        library=library("tokenise_training_set"),
    output:
        directory("<results>/tokens/training_sets/{method}/{lang}"),
    log:
        "<logs>/tokenise_training_set/{method}/{lang}.log",
    benchmark:
        "<benchmarks>/tokenise_training_set/{method}/{lang}.tsv"
    wildcard_constraints:
        method=any_of(owners_of_training_sets()),
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000, 1),
        runtime=duration(240),
    message:
        "tokenising the training set of {wildcards.method}, {wildcards.lang}"
    shell:
        "python {input.script} --tokeniser {input.tokeniser:q} --training-set {input.training_set} "
        "--out {output} --log {log}"
