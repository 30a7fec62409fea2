"""Baselines that translate: words by a table, queries by a translator; both learn from the students' bitext."""


rule align_words:
    input:
        bitext="<results>/bitext/{lang}/train.tsv",
        script=script("align_words"),
        library=library("align_words"),
    output:
        to_english="<results>/lexical_tables/{lang}.tsv",
        from_english="<results>/dictionaries/{lang}.tsv",
    log:
        "<logs>/align_words/{lang}.log",
    benchmark:
        "<benchmarks>/align_words/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        mem_mb=memory(1000, 100),
        runtime=duration(240),
    params:
        settings=as_argument(config["word_alignment"]),
    message:
        "aligning the words of the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --bitext {input.bitext} --settings {params.settings:q} --out {output.to_english} "
        "--out-backward {output.from_english} --log {log}"


rule train_translator:
    input:
        tokeniser=student_tokeniser(),
        tokens=student_tokens(),
        encoder=translator_start(),
        script=script("train_translator"),
        library=library("train_translator"),
    output:
        directory("<results>/translators/{lang}"),
    log:
        "<logs>/train_translator/{lang}.log",
    benchmark:
        "<benchmarks>/train_translator/{lang}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **training_resources(base_mb=2500, times_input=2, minutes=1440),
    params:
        settings=translator_settings(),
        encoder=option("encoder"),
    message:
        "training a translator from {wildcards.lang}"
    shell:
        # nice: where jobs share too few cores, the teacher, for which all students wait, goes first
        "nice {resources.launcher} {input.script} --tokens {input.tokens} --tokeniser {input.tokeniser:q} "
        "{params.encoder:q} --settings {params.settings:q} --name {wildcards.lang}/translator "
        "--checkpoints results/checkpoints/{output} "
        "--checkpoint-minutes {resources.checkpoint_minutes} --checkpoint-steps {resources.checkpoint_steps} "
        "--runtime-minutes $(({resources.runtime} * {resources.stop_before_runtime})) --device {resources.device} "
        "--precision {resources.precision} --threads {threads} --out {output} --log {log}"


rule translate_queries:
    input:
        translator=translator,
        held_out="<results>/bitext/{lang}/dev.tsv",
        collections=collections_of_language,
        script=script("translate_queries"),
        library=library("translate_queries"),
    output:
        directory("<results>/translations/{lang}"),
    log:
        "<logs>/translate_queries/{lang}.log",
    benchmark:
        "<benchmarks>/translate_queries/{lang}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **model_resources(base_mb=2500, times_input=2, minutes=240),
    params:
        queries=queries_of_collections,
        translations=translations_of_collections,
        source_code=translator_code("source_code"),
        target_code=translator_code("target_code"),
        beams=config["translator"]["beams"],
    message:
        "translating the queries and the held-out sentences of {wildcards.lang}"
    shell:
        "python {input.script} --model {input.translator:q} --queries {input.held_out} {params.queries} "
        "--source-code={params.source_code} --target-code={params.target_code} --beams {params.beams} "
        "--device {resources.device} --precision {resources.precision} --threads {threads} "
        "--out {output}/held_out.tsv {params.translations} --log {log}"


rule score_translations:
    input:
        translations=translations,
        script=script("score_translations"),
        library=library("score_translations"),
    output:
        "<results>/translation_table.tsv",
    log:
        "<logs>/score_translations.log",
    benchmark:
        "<benchmarks>/score_translations.tsv"
    conda:
        "../envs/translate.yaml"
    params:
        jobs=translation_scores_jobs,
    message:
        "scoring the translators on held-out sentences"
    shell:
        "python {input.script} --jobs {params.jobs:q} --out {output} --log {log}"
