"""Baselines that translate: words by a table, queries by a translator; both learn from the students' bitext."""


rule align_words:
    input:
        bitext=lambda w: at(w).bitext(w.lang),
        script=script("align_words"),
        library=library("align_words"),
    output:
        to_english="{results}/lexical_tables/{lang}.tsv",
        from_english="{results}/dictionaries/{lang}.tsv",
    log:
        "{results}/logs/align_words/{lang}.log",
    benchmark:
        "{results}/benchmarks/align_words/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("align_words"),
    params:
        arguments=arguments(settings=lambda w: at(w).config.word_alignment),
    message:
        "aligning the words of the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --bitext {input.bitext} --out {output.to_english} "
        "--out-backward {output.from_english} --log {log}"


rule train_translator:
    input:
        tokeniser=lambda w: models.student_tokeniser(at(w), w.lang),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
        encoder=lambda w: models.translator_start(at(w), w.lang),
        script=script("train_translator"),
        library=library("train_translator"),
    output:
        directory("{results}/translators/{lang}"),
    log:
        "{results}/logs/train_translator/{lang}.log",
    benchmark:
        "{results}/benchmarks/train_translator/{lang}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **needs("train_translator"),
    params:
        arguments=arguments(settings=lambda w: settings.translator_settings(at(w))),
        encoder=option("encoder"),
    message:
        "training a translator from {wildcards.lang}"
    shell:
        # nice: where jobs share too few cores, the teacher, for which all students wait, goes first
        "nice {resources.launcher} {input.script} {params.arguments} --tokens {input.tokens} "
        "--tokeniser {input.tokeniser:q} {params.encoder:q} "
        f"{TRAINING} --out {{output}} --log {{log}}"


rule translate_queries:
    input:
        translator=lambda w: models.translator(at(w), w.lang),
        held_out=lambda w: at(w).bitext(w.lang, "dev"),
        collections=lambda w: jobs.collections_of_language(at(w), w.lang),
        script=script("translate_queries"),
        library=library("translate_queries"),
    output:
        directory("{results}/translations/{lang}"),
    log:
        "{results}/logs/translate_queries/{lang}.log",
    benchmark:
        "{results}/benchmarks/translate_queries/{lang}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **needs("translate_queries"),
    params:
        arguments=arguments(
            queries=lambda w: jobs.queries_to_translate(at(w), w.lang),
            out=lambda w: jobs.translations_of_queries(at(w), w.lang),
        ),
        source_code=lambda w: models.translator_code(at(w), "source_code", w.lang),
        target_code=lambda w: models.translator_code(at(w), "target_code", w.lang),
        beams=lambda w: at(w).config.translator.beams,
    message:
        "translating the queries and the held-out sentences of {wildcards.lang}"
    shell:
        "python {input.script} {params.arguments} --model {input.translator:q} "
        "--source-code={params.source_code} --target-code={params.target_code} --beams {params.beams} "
        f"{ON_DEVICE} --log {{log}}"


rule score_translations:
    input:
        translations=lambda w: jobs.translations(at(w)),
        script=script("score_translations"),
        library=library("score_translations"),
    output:
        "{results}/translation_table.tsv",
    log:
        "{results}/logs/score_translations.log",
    benchmark:
        "{results}/benchmarks/score_translations.tsv"
    conda:
        "../envs/translate.yaml"
    params:
        arguments=arguments(jobs=lambda w: jobs.translation_scores(at(w))),
    message:
        "scoring the translators on held-out sentences"
    shell:
        "python {input.script} {params.arguments} --out {output} --log {log}"
