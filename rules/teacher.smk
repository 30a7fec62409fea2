"""The encoder and the English teacher."""


rule pretrain_encoder:
    input:
        **code("pretrain_encoder", unused=lambda w: models.unused_in_pretraining(at(w))),
        tokeniser=lambda w: models.tokeniser(at(w)),
        text=lambda w: at(w).place("tokeniser", "tokens/text"),
        bitext=lambda w: models.pretraining_bitext(at(w)),
    output:
        directory("{results}/encoder"),
    log:
        "{results}/logs/pretrain_encoder.log",
    benchmark:
        "{results}/benchmarks/pretrain_encoder.tsv"
    conda:
        "../envs/train.yaml"
    threads: THREADS
    resources:
        **needs("pretrain_encoder"),
    params:
        arguments=arguments(*("tokeniser", "text", "bitext"), settings=lambda w: settings.pretraining_settings(at(w))),
    message:
        "pre-training the encoder; progress: {log}"
    shell:
        TRAIN


rule make_dense:
    input:
        **code("make_dense"),
        encoder=lambda w: models.encoder(at(w)),
    output:
        directory("{results}/dense"),
    log:
        "{results}/logs/make_dense.log",
    benchmark:
        "{results}/benchmarks/make_dense.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("make_dense", model_mb=lambda w, input, precision: memory.reading_mb([input.encoder], "fp32")),
    params:
        arguments=arguments("encoder", settings=lambda w: at(w).config.dense),
    message:
        "letting the encoder read a text into one vector, as its authors do"
    shell:
        RUN


rule prepare_training_set:
    input:
        **code("prepare_training_set"),
        files=lambda w: sources.training_set_files(at(w), w.owner, w.lang),
        fetched=lambda w: downloads.fetched_of_training_set(at(w), w.owner, w.lang),
    output:
        directory("{results}/training_sets/{owner}/{lang}"),
    log:
        "{results}/logs/prepare_training_set/{owner}/{lang}.log",
    benchmark:
        "{results}/benchmarks/prepare_training_set/{owner}/{lang}.tsv"
    wildcard_constraints:
        owner=TRAINING_SETS,
    conda:
        "../envs/data.yaml"
    resources:
        **needs("prepare_training_set"),
    params:
        arguments=arguments(settings=lambda w: sources.training_set_block(at(w), w.owner, w.lang)),
    message:
        "preparing the training set of {wildcards.owner}, {wildcards.lang}"
    shell:
        RUN


rule train_teacher:
    input:
        **code("train_teacher"),
        encoder=lambda w: models.encoder(at(w)),
        training_set=lambda w: at(w).place("training_tokens", "tokens/training_sets/teacher/en"),
    output:
        directory("{results}/teacher"),
    log:
        "{results}/logs/train_teacher.log",
    benchmark:
        "{results}/benchmarks/train_teacher.tsv"
    priority: 1  # most jobs wait for it, others can wait
    conda:
        "../envs/train.yaml"
    threads: THREADS
    resources:
        **needs(
            "train_teacher",
            model_mb=lambda w, input, precision: memory.ranking_mb(
                settings.teacher_settings(at(w)), input.encoder, input.training_set, precision
            ),
        ),
    params:
        arguments=arguments("encoder", "training_set", settings=lambda w: settings.teacher_settings(at(w))),
    message:
        "training the English teacher; progress: {log}"
    shell:
        TRAIN
