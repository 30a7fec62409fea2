"""Students: the teacher distilled into a query encoder, per language, method and seed."""


rule encode_bitext:
    input:
        teacher=teacher(),
        tokens="<results>/tokens/bitext/{lang}",
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
        sides=config["student"]["sides"],
    message:
        "encoding the English side of the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --teacher {input.teacher} --tokens {input.tokens} --sides {params.sides} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule distil_student:
    input:
        teacher=teacher(),
        tokens="<results>/tokens/bitext/{lang}",
        vectors="<results>/teacher_vectors/{lang}",
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
    message:
        "distilling {wildcards.method} into {wildcards.lang}, seed {wildcards.seed}"
    shell:
        "{resources.launcher} {input.script} --teacher {input.teacher} --tokens {input.tokens} "
        "--vectors {input.vectors} --settings {params.settings:q} "
        "--name {wildcards.lang}/{wildcards.method}/{wildcards.seed} "
        "--checkpoints results/checkpoints/distil_student/{wildcards.lang}/{wildcards.method}/{wildcards.seed} "
        "--checkpoint-minutes {resources.checkpoint_minutes} "
        "--runtime-minutes $(({resources.runtime} * {resources.stop_before_runtime})) --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"
