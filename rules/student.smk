"""Students: the teacher distilled into a query encoder, per language, method and seed."""


rule encode_bitext:
    message:
        "encoding the English side of the sentence pairs of {wildcards.lang}"
    input:
        teacher=teacher(),
        tokens="<results>/tokens/bitext/{lang}",
        script=script("encode_bitext"),
        library=library("encode_bitext"),
    output:
        directory("<results>/teacher_vectors/{lang}"),
    params:
        sides=config["student"]["sides"],
    log:
        "<logs>/encode_bitext/{lang}.log",
    benchmark:
        "<benchmarks>/encode_bitext/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **model_resources(base_mb=2000, times_input=2, minutes=240),
    shell:
        "python {input.script} --teacher {input.teacher} --tokens {input.tokens} --sides {params.sides} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule distil_student:
    message:
        "distilling {wildcards.method} into {wildcards.lang}, seed {wildcards.seed}"
    input:
        teacher=teacher(),
        tokens="<results>/tokens/bitext/{lang}",
        vectors="<results>/teacher_vectors/{lang}",
        script=script("distil_student"),
        library=library("distil_student"),
    output:
        directory("<results>/students/{lang}/{method}/{seed}"),
    wildcard_constraints:
        method=any_of(methods_of_kind("distilled")),
    params:
        settings=student_settings,
    log:
        "<logs>/distil_student/{lang}/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/distil_student/{lang}/{method}/{seed}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **training_resources(base_mb=2500, times_input=2, minutes=720),
    shell:
        "python {input.script} --teacher {input.teacher} --tokens {input.tokens} --vectors {input.vectors} "
        "--settings {params.settings:q} --name {wildcards.lang}/{wildcards.method}/{wildcards.seed} "
        "--checkpoints results/checkpoints/distil_student/{wildcards.lang}/{wildcards.method}/{wildcards.seed} "
        "--checkpoint-minutes {resources.checkpoint_minutes} "
        "--stop-after-minutes {resources.stop_after_minutes} --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"
