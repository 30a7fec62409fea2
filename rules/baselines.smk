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
        encoder=lambda w: models.translator_start(at(w), w.lang, w.translator),
    output:
        directory("{results}/translators/{lang}/{translator}"),
    log:
        "{results}/logs/train_translator/{lang}/{translator}.log",
    benchmark:
        "{results}/benchmarks/train_translator/{lang}/{translator}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **needs("train_translator"),
    params:
        arguments=arguments(
            *("tokeniser", "tokens", "encoder"),
            settings=lambda w: settings.translator_settings(at(w), w.translator),
        ),
    message:
        "training the translator {wildcards.translator} from {wildcards.lang}; progress: {log}"
    shell:
        TRAIN


rule translate_queries:
    input:
        **code("translate_queries"),
        model=lambda w: models.translator(at(w), w.lang, w.translator),
        held_out=lambda w: at(w).bitext(w.lang, "dev"),
        collections=lambda w: translations.collections_of_language(at(w), w.lang),
    output:
        folder=directory("{results}/translations/{lang}/{translator}"),
    log:
        "{results}/logs/translate_queries/{lang}/{translator}.log",
    benchmark:
        "{results}/benchmarks/translate_queries/{lang}/{translator}.tsv"
    conda:
        "../envs/translate.yaml"
    resources:
        **needs(
            "translate_queries",
            model_mb=lambda w, input, precision: memory.translating_mb(
                str(input.model), at(w).translator_block(w.translator).beams
            ),
        ),
    params:
        arguments=arguments(
            "model",
            queries=lambda w: translations.queries_to_translate(at(w), w.lang),
            out=lambda w: translations.translations_of_queries(at(w), w.lang, w.translator),
            source_code=lambda w: models.translator_code(at(w), "source_code", w.lang, w.translator),
            target_code=lambda w: models.translator_code(at(w), "target_code", w.lang, w.translator),
            beams=lambda w: at(w).translator_block(w.translator).beams,
        ),
    message:
        "translating the queries and the held-out sentences of {wildcards.lang} by the translator {wildcards.translator}"
    shell:
        RUN_MODEL


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
