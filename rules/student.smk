"""Students: query encoders per language, method and seed, distilled from the teacher or trained on further."""


rule extend_vocabulary:
    input:
        teacher=teacher(),
        bitext="<results>/bitext/{lang}/train.tsv",
        script=script("extend_vocabulary"),
        library=library("extend_vocabulary"),
    output:
        directory("<results>/extended/{lang}"),
    log:
        "<logs>/extend_vocabulary/{lang}.log",
    benchmark:
        "<benchmarks>/extend_vocabulary/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(3000, 200),
        runtime=duration(240),
    params:
        settings=vocabulary_settings(),
    message:
        "giving the teacher word pieces of {wildcards.lang}"
    shell:
        "python {input.script} --teacher {input.teacher:q} --bitext {input.bitext} --settings {params.settings:q} "
        "--out {output} --log {log}"


rule encode_bitext:
    input:
        teacher=teacher(),
        tokens=student_tokens(),
        script=script("encode_bitext"),
        library=library("encode_bitext"),
    output:
        directory("<results>/teacher_vectors/{lang}"),
    log:
        "<logs>/encode_bitext/{lang}.log",
    benchmark:
        "<benchmarks>/encode_bitext/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **model_resources(base_mb=2000, times_input=2, minutes=240),
    params:
        sides=taught_sides(),
    message:
        "encoding the English side of the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --teacher {input.teacher:q} --tokens {input.tokens} --sides {params.sides} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule distil_student:
    input:
        teacher=teacher(),
        start=extended("<results>/extended/{lang}"),
        tokens=student_tokens(),
        vectors=cached("<results>/teacher_vectors/{lang}"),
        script=script("distil_student"),
        library=library("distil_student"),
    output:
        directory("<results>/students/{lang}/{method}/{seed}"),
    log:
        "<logs>/distil_student/{lang}/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/distil_student/{lang}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=any_of(methods_of_kind("distilled")),
    conda:
        "../envs/train.yaml"
    resources:
        **training_resources(base_mb=2500, times_input=2, minutes=720),
    params:
        settings=student_settings,
        start=option("start"),
        vectors=option("vectors"),
    message:
        "distilling {wildcards.method} into {wildcards.lang}, seed {wildcards.seed}"
    shell:
        "{resources.launcher} {input.script} --teacher {input.teacher:q} --tokens {input.tokens} "
        "{params.start:q} {params.vectors:q} --settings {params.settings:q} "
        "--name {wildcards.lang}/{wildcards.method}/{wildcards.seed} "
        "--checkpoints results/checkpoints/{output} "
        "--checkpoint-minutes {resources.checkpoint_minutes} --checkpoint-steps {resources.checkpoint_steps} "
        "--runtime-minutes $(({resources.runtime} * {resources.stop_before_runtime})) --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule switch_queries:
    input:
        queries="<results>/training_sets/teacher/en",
        dictionary="<results>/dictionaries/{lang}.tsv",
        script=script("switch_queries"),
        library=library("switch_queries"),
    output:
        "<results>/switched_queries/{lang}/{method}.tsv",
    log:
        "<logs>/switch_queries/{lang}/{method}.log",
    benchmark:
        "<benchmarks>/switch_queries/{lang}/{method}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(1000, 0),
        runtime=duration(60),
    params:
        settings=switch_settings,
    message:
        "swapping words of the training queries for words of {wildcards.lang}"
    shell:
        "python {input.script} --queries {input.queries}/queries.tsv --dictionary {input.dictionary} "
        "--settings {params.settings:q} --out {output} --log {log}"


rule retrain_student:
    input:
        teacher=teacher(),
        training_set=training_set_of,
        queries=switched_queries,
        script=script("retrain_student"),
        library=library("retrain_student"),
    output:
        directory("<results>/students/{lang}/{method}/{seed}"),
    log:
        "<logs>/retrain_student/{lang}/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/retrain_student/{lang}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=any_of(methods_of_kind("retrained")),
    conda:
        "../envs/train.yaml"
    resources:
        **training_resources(base_mb=3000, times_input=0.5, minutes=720),
    params:
        settings=retraining_settings,
        queries=option("queries"),
    message:
        "retraining {wildcards.method} for {wildcards.lang}, seed {wildcards.seed}"
    shell:
        "{resources.launcher} {input.script} --teacher {input.teacher:q} --training-set {input.training_set} "
        "{params.queries:q} --settings {params.settings:q} "
        "--name {wildcards.lang}/{wildcards.method}/{wildcards.seed} "
        "--checkpoints results/checkpoints/{output} "
        "--checkpoint-minutes {resources.checkpoint_minutes} --checkpoint-steps {resources.checkpoint_steps} "
        "--runtime-minutes $(({resources.runtime} * {resources.stop_before_runtime})) --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"
