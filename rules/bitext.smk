"""Sentence pairs: read, cleaned, checked for alignment, split; shares of them, and those of all languages together."""


rule clean_bitext:
    input:
        **code("clean_bitext"),
        files=lambda w: sources.bitext_files(at(w), w.lang),
        exclude=lambda w: sources.excluded_files(at(w), w.lang),
        # ancient: a new document or query must not train every model again
        collections=ancient(lambda w: sources.excluded_collections(at(w), w.lang)),
        languages=ancient("config/languages.tsv"),
    output:
        out_train="{results}/bitext/{lang}/train.tsv",
        out_dev="{results}/bitext/{lang}/dev.tsv",
        report="{results}/bitext/{lang}/report.json",
    log:
        "{results}/logs/clean_bitext/{lang}.log",
    benchmark:
        "{results}/benchmarks/clean_bitext/{lang}.tsv"
    wildcard_constraints:
        results=any_of(folder for folder in EXPERIMENTS if folder not in SHARES),
        lang=r"(?!mul\b)[a-z]{2,3}",
    conda:
        "../envs/data.yaml"
    resources:
        **needs("clean_bitext"),
    params:
        arguments=arguments(
            *("lang", "languages", "out_train", "out_dev", "report"),
            sources=lambda w: sources.bitext_sources(at(w), w.lang),
            language_table=lambda w: settings.language_rows(at(w), w.lang),
            settings=lambda w: settings.cleaning_settings(at(w)),
            exclude=lambda w: sources.excluded_files(at(w), w.lang) + sources.excluded_collections(at(w), w.lang),
        ),
    message:
        "cleaning the sentence pairs of {wildcards.lang}"
    shell:
        RUN


rule sample_bitext:
    input:
        **code("sample_bitext"),
        bitext=lambda w: at(w).whole_bitext(w.lang),
    output:
        "{results}/bitext/{lang}/train.tsv",
    log:
        "{results}/logs/sample_bitext/{lang}.log",
    benchmark:
        "{results}/benchmarks/sample_bitext/{lang}.tsv"
    wildcard_constraints:
        results=any_of(SHARES),
        lang=r"(?!mul\b)[a-z]{2,3}",
    conda:
        "../envs/data.yaml"
    resources:
        **needs("sample_bitext"),
    params:
        arguments=arguments("bitext", share=lambda w: at(w).share),
    message:
        "taking a share of the sentence pairs of {wildcards.lang}: {output}"
    shell:
        RUN


rule mix_bitext:
    input:
        **code("mix_bitext"),
        bitext=lambda w: [at(w).bitext(lang) for lang in at(w).bitext_languages()],
        reports=lambda w: [at(w).whole_bitext(lang, "report.json") for lang in at(w).bitext_languages()],
    output:
        out="{results}/bitext/mul/train.tsv",
        report="{results}/bitext/mul/report.json",
    log:
        "{results}/logs/mix_bitext/mul.log",
    benchmark:
        "{results}/benchmarks/mix_bitext/mul.tsv"
    conda:
        "../envs/data.yaml"
    resources:
        **needs("mix_bitext"),
    params:
        arguments=arguments("bitext", "reports", "out", "report"),
    message:
        "mixing the sentence pairs of all languages: {output.out}"
    shell:
        RUN
