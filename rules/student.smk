"""Students: query encoders per language, method and seed, distilled from the teacher or trained on further."""


rule extend_vocabulary:
    input:
        **code("extend_vocabulary"),
        teacher=lambda w: models.teacher(at(w)),
        bitext=lambda w: at(w).bitext(w.lang),
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
        arguments=arguments("teacher", "bitext", settings=lambda w: settings.vocabulary_settings(at(w))),
    message:
        "giving the teacher subwords of {wildcards.lang}"
    shell:
        RUN


rule encode_bitext:
    input:
        **code("encode_bitext"),
        teacher=lambda w: models.teacher(at(w)),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
    output:
        directory("{results}/teacher_vectors/{lang}"),
    log:
        "{results}/logs/encode_bitext/{lang}.log",
    benchmark:
        "{results}/benchmarks/encode_bitext/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("encode_bitext", model_mb=lambda w, input, precision: memory.reading_mb([input.teacher], precision)),
    params:
        arguments=arguments("teacher", "tokens", sides=lambda w: at(w).taught_sides()),
    message:
        "encoding the English side of the sentence pairs of {wildcards.lang}"
    shell:
        RUN_MODEL


rule distil_student:
    input:
        **code("distil_student"),
        teacher=lambda w: models.teacher_of(at(w), w.method),
        start=lambda w: models.extended(at(w), w.lang, w.method),
        tokens=lambda w: models.student_tokens(at(w), w.lang, w.method),
        vectors=lambda w: models.teacher_vectors(at(w), w.lang, w.method),
    output:
        directory("{results}/students/{lang}/{method}/{seed}"),
    log:
        "{results}/logs/distil_student/{lang}/{method}/{seed}.log",
    benchmark:
        "{results}/benchmarks/distil_student/{lang}/{method}/{seed}.tsv"
    wildcard_constraints:
        method=methods_of_kind("distilled", "dense-distilled"),
    conda:
        "../envs/train.yaml"
    resources:
        **needs(
            "distil_student",
            model_mb=lambda w, input, precision: memory.distilling_mb(
                settings.distillation_settings(at(w), w.method, int(w.seed)),
                *(str(input.get("start") or input.teacher), input.tokens, str(input.get("vectors") or ""), precision),
            ),
        ),
    params:
        arguments=arguments(
            *("teacher", "start", "tokens", "vectors"),
            settings=lambda w: settings.distillation_settings(at(w), w.method, int(w.seed)),
        ),
    message:
        "distilling {wildcards.method} into {wildcards.lang}, seed {wildcards.seed}; progress: {log}"
    shell:
        TRAIN


rule switch_queries:
    input:
        **code("switch_queries"),
        queries=lambda w: at(w).training_set("teacher", "en"),
        dictionary=lambda w: at(w).place("lexical_tables", "dictionaries", f"{w.lang}.tsv"),
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
        arguments=arguments("dictionary", settings=lambda w: at(w).method(w.method).switch),
    message:
        "swapping words of the training queries for words of {wildcards.lang}"
    shell:
        f"{RUN} --queries {{input.queries}}/queries.tsv"


rule retrain_student:
    input:
        **code("retrain_student"),
        teacher=lambda w: models.teacher(at(w)),
        training_set=lambda w: models.training_set_of(at(w), w.method, w.lang),
        queries=lambda w: models.switched_queries(at(w), w.method, w.lang),
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
        **needs(
            "retrain_student",
            model_mb=lambda w, input, precision: memory.ranking_mb(
                settings.retraining_settings(at(w), w.method, int(w.seed)),
                input.teacher,
                input.training_set,
                precision,
            ),
        ),
    params:
        arguments=arguments(
            *("teacher", "training_set", "queries"),
            settings=lambda w: settings.retraining_settings(at(w), w.method, int(w.seed)),
        ),
    message:
        "retraining {wildcards.method} for {wildcards.lang}, seed {wildcards.seed}; progress: {log}"
    shell:
        TRAIN
