"""Mean against bitext size: the students again, from shares of the sentence pairs; `snakemake results/bitext_curve.tsv`.

The same rules on other files. The students of the whole bitext are those of the table; documents are not encoded again.
"""

SHARES = [share for share in config["bitext_curve"]["shares"] if share < 100]
SHARE = "<results>/bitext_curve/{share}"


rule sample_bitext:
    input:
        bitext="<results>/bitext/{lang}/train.tsv",
        script=script("sample_bitext"),
        library=library("sample_bitext"),
    output:
        f"{SHARE}/bitext/{{lang}}.tsv",
    log:
        "<logs>/sample_bitext/{share}/{lang}.log",
    benchmark:
        "<benchmarks>/sample_bitext/{share}/{lang}.tsv"
    wildcard_constraints:
        share=r"\d+(\.\d+)?",
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=memory(500, 10),
        runtime=duration(30),
    message:
        "taking {wildcards.share} % of the sentence pairs of {wildcards.lang}"
    shell:
        "python {input.script} --bitext {input.bitext} --share {wildcards.share} --out {output} --log {log}"


use rule extend_vocabulary as extend_share with:
    input:
        teacher=teacher(),
        bitext=f"{SHARE}/bitext/{{lang}}.tsv",
        script=script("extend_vocabulary"),
        library=library("extend_vocabulary"),
    output:
        directory(f"{SHARE}/extended/{{lang}}"),
    log:
        "<logs>/extend_share/{share}/{lang}.log",
    benchmark:
        "<benchmarks>/extend_share/{share}/{lang}.tsv"


use rule tokenise_bitext as tokenise_share with:
    input:
        tokeniser=tokeniser(),
        foreign_tokeniser=extended(f"{SHARE}/extended/{{lang}}"),
        bitext=f"{SHARE}/bitext/{{lang}}.tsv",
        script=script("tokenise_bitext"),
        library=library("tokenise_bitext"),
    output:
        directory(f"{SHARE}/tokens/{{lang}}"),
    log:
        "<logs>/tokenise_share/{share}/{lang}.log",
    benchmark:
        "<benchmarks>/tokenise_share/{share}/{lang}.tsv"


use rule encode_bitext as encode_share with:
    input:
        teacher=teacher(),
        tokens=f"{SHARE}/tokens/{{lang}}",
        script=script("encode_bitext"),
        library=library("encode_bitext"),
    output:
        directory(f"{SHARE}/teacher_vectors/{{lang}}"),
    log:
        "<logs>/encode_share/{share}/{lang}.log",
    benchmark:
        "<benchmarks>/encode_share/{share}/{lang}.tsv"


use rule distil_student as distil_share with:
    input:
        teacher=teacher(),
        start=extended(f"{SHARE}/extended/{{lang}}"),
        tokens=f"{SHARE}/tokens/{{lang}}",
        vectors=cached(f"{SHARE}/teacher_vectors/{{lang}}"),
        script=script("distil_student"),
        library=library("distil_student"),
    output:
        directory(f"{SHARE}/students/{{lang}}/{{method}}/{{seed}}"),
    log:
        "<logs>/distil_share/{share}/{lang}/{method}/{seed}.log",
    benchmark:
        "<benchmarks>/distil_share/{share}/{lang}/{method}/{seed}.tsv"
    message:
        "distilling {wildcards.method} into {wildcards.lang} from {wildcards.share} % of the pairs, seed {wildcards.seed}"


use rule search_collection as search_share with:
    input:
        encoders=share_students,
        vectors=document_vectors(),
        collection="<results>/collections/{collection}",
        script=script("search_collection"),
        library=library("search_collection"),
    output:
        runs=directory(f"{SHARE}/runs/{{collection}}/{{lang}}"),
    log:
        "<logs>/search_share/{share}/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/search_share/{share}/{collection}/{lang}.tsv"
    params:
        jobs=share_search_jobs,


use rule evaluate_run as evaluate_share with:
    input:
        runs=f"{SHARE}/runs/{{collection}}/{{lang}}",
        collection="<results>/collections/{collection}",
        script=script("evaluate_run"),
        library=library("evaluate_run"),
    output:
        f"{SHARE}/scores/{{collection}}/{{lang}}.tsv",
    log:
        "<logs>/evaluate_share/{share}/{collection}/{lang}.log",
    benchmark:
        "<benchmarks>/evaluate_share/{share}/{collection}/{lang}.tsv"
    params:
        jobs=share_evaluation_jobs,


rule bitext_curve:
    input:
        scores=collect(
            f"{SHARE}/scores/{{collection}}/{{lang}}.tsv",
            share=SHARES,
            collection=config["collections"][0],
            lang=curve_languages,
        ),
        bitext=collect(f"{SHARE}/bitext/{{lang}}.tsv", share=SHARES, lang=curve_languages),
        whole_scores=collect(
            "<results>/scores/{collection}/{lang}.tsv", collection=config["collections"][0], lang=curve_languages
        ),
        whole_bitext=collect("<results>/bitext/{lang}/train.tsv", lang=curve_languages),
        script=script("bitext_curve"),
        library=library("bitext_curve"),
    output:
        "<results>/bitext_curve.tsv",
    log:
        "<logs>/bitext_curve.log",
    benchmark:
        "<benchmarks>/bitext_curve.tsv"
    conda:
        "../envs/report.yaml"
    params:
        jobs=curve_jobs,
        methods=curve_methods,
        collection=config["collections"][0],
        measure=config["measures"][0],
    message:
        "putting the means over shares of the sentence pairs together"
    shell:
        "python {input.script} --jobs {params.jobs:q} --methods {params.methods:q} --collection {params.collection} "
        "--measure {params.measure:q} --out {output} --log {log}"


rule plot_bitext_curve:
    input:
        curve="<results>/bitext_curve.tsv",
        script=script("plot_bitext_curve"),
        library=library("plot_bitext_curve"),
    output:
        figure=report(
            "<results>/figures/bitext_curve.svg",
            caption="../workflow/report/bitext_curve.rst",
            category="Training",
            labels={"figure": "means against bitext size"},
        ),
        others=multiext("<results>/figures/bitext_curve", ".png", ".tsv"),
    log:
        "<logs>/plot_bitext_curve.log",
    benchmark:
        "<benchmarks>/plot_bitext_curve.tsv"
    conda:
        "../envs/report.yaml"
    params:
        methods=config["methods"],
        reference=config["reference"],
        measure=config["measures"][0],
        names=curve_titles,
    message:
        "drawing the means against the number of sentence pairs"
    shell:
        "python {input.script} --curve {input.curve} --methods {params.methods:q} --reference {params.reference:q} "
        "--measure {params.measure:q} --names {params.names:q} --out $(dirname {output.figure})/bitext_curve --log {log}"
