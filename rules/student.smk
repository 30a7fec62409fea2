"""Students: query encoders per language, method and seed, distilled from the teacher or trained on further."""


rule extend_vocabulary:
    input:
        teacher=lambda w: models.teacher(at(w)),
        bitext=lambda w: at(w).bitext(w.lang),
        script=script("extend_vocabulary"),
        library=library("extend_vocabulary"),
    output:
        directory("{results}/extended/{lang}"),
    log:
        "{results}/logs/extend_vocabulary/{lang}.log",
    benchmark:
        "{results}/benchmarks/extend_vocabulary/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("extend_vocabulary"),
    params:
        arguments=arguments(settings=lambda w: settings.vocabulary_settings(at(w))),
    message:
        "giving the teacher word pieces of {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --teacher {input.teacher:q} --bitext {input.bitext} "
        "--out {output} --log {log}"


rule encode_bitext:
    input:
        teacher=lambda w: models.teacher(at(w)),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
        script=script("encode_bitext"),
        library=library("encode_bitext"),
    output:
        directory("{results}/teacher_vectors/{lang}"),
    log:
        "{results}/logs/encode_bitext/{lang}.log",
    benchmark:
        "{results}/benchmarks/encode_bitext/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("encode_bitext"),
    params:
        sides=lambda w: at(w).taught_sides(),
    message:
        "encoding the English side of the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --teacher {input.teacher:q} --tokens {input.tokens} --sides {params.sides} "
        f"{ON_DEVICE} --out {{output}} --log {{log}}"


rule distil_student:
    input:
        teacher=lambda w: models.teacher(at(w)),
        start=lambda w: models.extended(at(w), w.lang),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
        vectors=lambda w: models.teacher_vectors(at(w), w.lang),
        script=script("distil_student"),
        library=library("distil_student"),
    output:
        directory("{results}/students/{lang}/{method}/{seed}"),
    log:
        "{results}/logs/distil_student/{lang}/{method}/{seed}.log",
    benchmark:
        "{results}/benchmarks/distil_student/{lang}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=methods_of_kind("distilled"),
    conda:
        "../envs/train.yaml"
    resources:
        **needs("distil_student"),
    params:
        arguments=arguments(settings=lambda w: settings.distillation_settings(at(w), w.method, int(w.seed))),
        start=option("start"),
        vectors=option("vectors"),
    message:
        "distilling {wildcards.method} into {wildcards.lang}, seed {wildcards.seed}"
    shell:
        "{resources.launcher} {input.script} {params.arguments} --teacher {input.teacher:q} --tokens {input.tokens} "
        "{params.start:q} {params.vectors:q} "
        f"{TRAINING} --out {{output}} --log {{log}}"


rule switch_queries:
    input:
        queries=lambda w: at(w).training_set("teacher", "en"),
        dictionary=lambda w: at(w).place("lexical_tables", "dictionaries", f"{w.lang}.tsv"),
        script=script("switch_queries"),
        library=library("switch_queries"),
    output:
        "{results}/switched_queries/{lang}/{method}.tsv",
    log:
        "{results}/logs/switch_queries/{lang}/{method}.log",
    benchmark:
        "{results}/benchmarks/switch_queries/{lang}/{method}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("switch_queries"),
    params:
        arguments=arguments(settings=lambda w: at(w).method(w.method).switch),
    message:
        "swapping words of the training queries for words of {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --queries {input.queries}/queries.tsv "
        "--dictionary {input.dictionary} --out {output} --log {log}"


rule retrain_student:
    input:
        teacher=lambda w: models.teacher(at(w)),
        training_set=lambda w: models.training_set_of(at(w), w.method, w.lang),
        queries=lambda w: models.switched_queries(at(w), w.method, w.lang),
        script=script("retrain_student"),
        library=library("retrain_student"),
    output:
        directory("{results}/students/{lang}/{method}/{seed}"),
    log:
        "{results}/logs/retrain_student/{lang}/{method}/{seed}.log",
    benchmark:
        "{results}/benchmarks/retrain_student/{lang}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=methods_of_kind("retrained"),
    conda:
        "../envs/train.yaml"
    resources:
        **needs("retrain_student"),
    params:
        arguments=arguments(settings=lambda w: settings.retraining_settings(at(w), w.method, int(w.seed))),
        queries=option("queries"),
    message:
        "retraining {wildcards.method} for {wildcards.lang}, seed {wildcards.seed}"
    shell:
        "{resources.launcher} {input.script} {params.arguments} --teacher {input.teacher:q} "
        "--training-set {input.training_set} {params.queries:q} "
        f"{TRAINING} --out {{output}} --log {{log}}"
