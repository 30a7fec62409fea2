"""Baselines that translate: words by a table, queries by a translator; both learn from the students' bitext."""


rule align_words:
    input:
        **code("align_words"),
        bitext=lambda w: at(w).bitext(w.lang),
    output:
        out="{results}/lexical_tables/{lang}.tsv",
        out_backward="{results}/dictionaries/{lang}.tsv",
    log:
        "{results}/logs/align_words/{lang}.log",
    benchmark:
        "{results}/benchmarks/align_words/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("align_words"),
    params:
        arguments=arguments("bitext", "out", "out_backward", settings=lambda w: at(w).config.word_alignment),
    message:
        "aligning the words of the sentence pairs of {wildcards.lang}"
    shell:
        RUN


rule train_translator:
    input:
        **code("train_translator"),
        tokeniser=lambda w: models.student_tokeniser(at(w), w.lang),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
        encoder=lambda w: models.translator_start(at(w), w.lang, w.get("method", "")),
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
        arguments=arguments(
            *("tokeniser", "tokens", "encoder"),
            settings=lambda w: settings.translator_settings(at(w), w.get("method", "")),
        ),
    message:
        "training a translator from {wildcards.lang}; progress: {log}"
    shell:
        TRAIN


use rule train_translator as train_own_translator with:
    output:
        directory("{results}/own_translators/{lang}/{method}"),
    log:
        "{results}/logs/train_own_translator/{lang}/{method}.log",
    benchmark:
        "{results}/benchmarks/train_own_translator/{lang}/{method}.tsv"
    message:
        "training the translator of {wildcards.method} from {wildcards.lang}; progress: {log}"


rule translate_queries:
    input:
        **code("translate_queries"),
        model=lambda w: models.translator(at(w), w.lang, w.get("method", "")),
        held_out=lambda w: at(w).bitext(w.lang, "dev"),
        collections=lambda w: translations.collections_of_language(at(w), w.lang),
    output:
        folder=directory("{results}/translations/{lang}"),
    log:
        "{results}/logs/translate_queries/{lang}.log",
    benchmark:
        "{results}/benchmarks/translate_queries/{lang}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **needs(
            "translate_queries",
            model_mb=lambda w, input, precision: memory.translating_mb(
                str(input.model), at(w).translator_block(w.get("method", "")).beams
            ),
        ),
    params:
        arguments=arguments(
            "model",
            queries=lambda w: translations.queries_to_translate(at(w), w.lang),
            out=lambda w: translations.translations_of_queries(at(w), w.lang, w.get("method", "")),
            source_code=lambda w: models.translator_code(at(w), "source_code", w.lang, w.get("method", "")),
            target_code=lambda w: models.translator_code(at(w), "target_code", w.lang, w.get("method", "")),
            beams=lambda w: at(w).translator_block(w.get("method", "")).beams,
        ),
    message:
        "translating the queries and the held-out sentences of {wildcards.lang}"
    shell:
        RUN_MODEL


use rule translate_queries as translate_with_own with:
    output:
        folder=directory("{results}/own_translations/{lang}/{method}"),
    log:
        "{results}/logs/translate_with_own/{lang}/{method}.log",
    benchmark:
        "{results}/benchmarks/translate_with_own/{lang}/{method}.tsv"
    message:
        "translating the queries and the held-out sentences of {wildcards.lang} for {wildcards.method}"


rule score_translations:
    input:
        **code("score_translations"),
        translations=lambda w: translations.translations(at(w)),
    output:
        "{results}/translation_table.tsv",
    log:
        "{results}/logs/score_translations.log",
    benchmark:
        "{results}/benchmarks/score_translations.tsv"
    conda:
        "../envs/translate.yaml"
    params:
        arguments=arguments(jobs=lambda w: translations.translation_scores(at(w))),
    message:
        "scoring the translators on held-out sentences"
    shell:
        RUN
