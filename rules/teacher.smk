"""The encoder and the English teacher."""


rule pretrain_encoder:
    input:
        tokeniser=tokeniser(),
        text="<results>/tokens/text",
        bitext=pretraining_bitext(),
        script=script("pretrain_encoder"),
        library=library("pretrain_encoder", unused=unused_in_pretraining()),
    output:
        directory("<results>/encoder"),
    log:
        "<logs>/pretrain_encoder.log",
    benchmark:
        "<benchmarks>/pretrain_encoder.tsv"
    conda:
        "../envs/train.yaml"
    threads: config["machine"]["threads"]
    resources:
        **training_resources(base_mb=2000, times_input=2, minutes=1440),
    params:
        settings=pretraining_settings(),
        bitext=option("bitext"),
    message:
        "pre-training the encoder"
    shell:
        "{resources.launcher} {input.script} --tokeniser {input.tokeniser:q} --text {input.text} "
        "{params.bitext:q} --settings {params.settings:q} "
        "--checkpoints results/checkpoints/{output} --checkpoint-minutes {resources.checkpoint_minutes} "
        "--checkpoint-steps {resources.checkpoint_steps} "
        "--runtime-minutes $(({resources.runtime} * {resources.stop_before_runtime})) --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule prepare_training_set:
    input:
        files=training_set_files,
        fetched=fetched_of_training_set,
        script=script("prepare_training_set"),
        library=library("prepare_training_set"),
    output:
        directory("<results>/training_sets/{method}/{lang}"),
    log:
        "<logs>/prepare_training_set/{method}/{lang}.log",
    benchmark:
        "<benchmarks>/prepare_training_set/{method}/{lang}.tsv"
    wildcard_constraints:
        method=any_of(owners_of_training_sets()),
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(1000, 2),
        runtime=duration(240),
    params:
        settings=training_set_settings,
    message:
        "preparing the training set of {wildcards.method}, {wildcards.lang}"
    shell:
        "python {input.script} --settings {params.settings:q} --out {output} --log {log}"


rule train_teacher:
    input:
        encoder=encoder(),
        training_set="<results>/tokens/training_sets/teacher/en",
        script=script("train_teacher"),
        library=library("train_teacher"),
    output:
        directory("<results>/teacher"),
    log:
        "<logs>/train_teacher.log",
    benchmark:
        "<benchmarks>/train_teacher.tsv"
    priority: 1  # most jobs wait for it, others can wait
    conda:
        "../envs/train.yaml"
    threads: config["machine"]["threads"]
    resources:
        **training_resources(base_mb=2500, times_input=2, minutes=2880),
    params:
        settings=teacher_settings(),
    message:
        "training the English teacher"
    shell:
        "{resources.launcher} {input.script} --encoder {input.encoder:q} --training-set {input.training_set} "
        "--settings {params.settings:q} "
        "--checkpoints results/checkpoints/{output} --checkpoint-minutes {resources.checkpoint_minutes} "
        "--checkpoint-steps {resources.checkpoint_steps} "
        "--runtime-minutes $(({resources.runtime} * {resources.stop_before_runtime})) --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"
