"""What people read: figures, what a run cost, and the report that holds it all."""


report: "../workflow/report/workflow.rst"


rule make_cost_table:
    input:
        table="{results}/map_table.tsv",
        script=script("make_cost_table"),
        library=library("make_cost_table"),
    output:
        "{results}/cost_table.tsv",
    log:
        "{results}/logs/make_cost_table.log",
    benchmark:
        "{results}/benchmarks/make_cost_table.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(methods=lambda w: list(at(w).config.method_table)),
    message:
        "summing what the run cost: {output}"
    shell:
        "python {input.script} {params.arguments} --benchmarks $(dirname {output})/benchmarks "
        "--out {output} --log {log}"


rule plot_map:
    input:
        cells="{results}/tables/{collection}/map_cells.tsv",
        script=script("plot_map"),
        library=library("plot_map"),
    output:
        map=report(
            "{results}/figures/{collection}/map.svg",
            caption="../workflow/report/map.rst",
            category="Retrieval",
            labels={"collection": "{collection}", "figure": "means with intervals"},
        ),
        gap=report(
            "{results}/figures/{collection}/gap.svg",
            caption="../workflow/report/gap.rst",
            category="Retrieval",
            labels={"collection": "{collection}", "figure": "gap between resource levels"},
        ),
        others=multiext("{results}/figures/{collection}/", "map.png", "map.tsv", "gap.png", "gap.tsv"),
    log:
        "{results}/logs/plot_map/{collection}.log",
    benchmark:
        "{results}/benchmarks/plot_map/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            methods=lambda w: at(w).config.methods,
            reference=lambda w: at(w).config.reference,
            measure=lambda w: at(w).config.measures[0],
            names=lambda w: jobs.titles(at(w), at(w).languages_of(w.collection)),
        ),
    message:
        "drawing the means of {wildcards.collection}"
    shell:
        "python {input.script} {params.arguments} --cells {input.cells} --collection {wildcards.collection} "
        "--out $(dirname {output.map}) --log {log}"


rule plot_queries:
    input:
        scores=lambda w: jobs.scores(at(w), w.collection),
        cells="{results}/tables/{collection}/map_cells.tsv",
        collection=lambda w: at(w).collection(w.collection),
        script=script("plot_queries"),
        library=library("plot_queries"),
    output:
        figure=report(
            "{results}/figures/{collection}/queries.svg",
            caption="../workflow/report/queries.rst",
            category="Retrieval",
            labels={"collection": "{collection}", "figure": "gains and losses by query"},
        ),
        others=multiext("{results}/figures/{collection}/queries", ".png", ".tsv"),
    log:
        "{results}/logs/plot_queries/{collection}.log",
    benchmark:
        "{results}/benchmarks/plot_queries/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            scores=lambda w: jobs.scores(at(w), w.collection),
            method=lambda w: at(w).config.reference,
            rivals=lambda w: at(w).rivals(),
            measure=lambda w: at(w).config.measures[0],
            names=lambda w: jobs.titles(at(w), at(w).languages_of(w.collection)),
        ),
    message:
        "drawing the gains and losses of single queries of {wildcards.collection}"
    shell:
        "python {input.script} {params.arguments} --cells {input.cells} --queries {input.collection}/queries "
        "--collection {wildcards.collection} "
        "--out $(dirname {output.figure})/queries --log {log}"


rule align_sentences:
    input:
        student=lambda w: jobs.shown_student(at(w), w.lang),
        teacher=lambda w: models.teacher(at(w)),
        start=lambda w: models.extended(at(w), w.lang),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
        bitext=lambda w: at(w).bitext(w.lang, "dev"),
        script=script("align_sentences"),
        library=library("align_sentences"),
    output:
        "{results}/alignments/{lang}.json",
    log:
        "{results}/logs/align_sentences/{lang}.log",
    benchmark:
        "{results}/benchmarks/align_sentences/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs("align_sentences"),
    params:
        start=option("start"),
    message:
        "aligning a sentence of {wildcards.lang} before and after distillation"
    shell:
        "python {input.script} --lang {wildcards.lang} --student {input.student} --teacher {input.teacher:q} "
        "{params.start:q} --tokens {input.tokens} --bitext {input.bitext} --out {output} --log {log}"


rule plot_alignment:
    input:
        alignment="{results}/alignments/{lang}.json",
        script=script("plot_alignment"),
        library=library("plot_alignment"),
    output:
        figure=report(
            "{results}/figures/alignment/{lang}.svg",
            caption="../workflow/report/alignment.rst",
            category="Token alignments",
            labels={"language": "{lang}"},
        ),
        others=multiext("{results}/figures/alignment/{lang}", ".png", ".tsv"),
    log:
        "{results}/logs/plot_alignment/{lang}.log",
    benchmark:
        "{results}/benchmarks/plot_alignment/{lang}.tsv"
    conda:
        "../envs/report.yaml"
    message:
        "drawing the alignment of a sentence of {wildcards.lang}"
    shell:
        "python {input.script} --alignment {input.alignment} --out $(dirname {output.figure})/{wildcards.lang} "
        "--log {log}"


rule plot_curves:
    input:
        students=lambda w: jobs.files_in(jobs.students(at(w)), "folder"),
        script=script("plot_curves"),
        library=library("plot_curves"),
    output:
        figure=report(
            "{results}/figures/curves.svg",
            caption="../workflow/report/curves.rst",
            category="Training",
            labels={"figure": "learning curves"},
        ),
        others=multiext("{results}/figures/curves", ".png", ".tsv"),
    log:
        "{results}/logs/plot_curves.log",
    benchmark:
        "{results}/benchmarks/plot_curves.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            students=lambda w: jobs.students(at(w)),
            methods=lambda w: at(w).config.methods,
            reference=lambda w: at(w).config.reference,
            names=lambda w: jobs.titles(at(w), at(w).config.languages),
        ),
    message:
        "drawing the learning curves of the students"
    shell:
        "python {input.script} {params.arguments} --out $(dirname {output.figure})/curves --log {log}"


rule make_report:
    input:
        cells=lambda w: jobs.tables(at(w), "map_cells.tsv"),
        figures=lambda w: jobs.figures(at(w)),
        alignments=lambda w: [f"{w.results}/alignments/{lang}.json" for lang in at(w).aligned_languages()],
        bitext=lambda w: [f"{w.results}/bitext/{lang}/report.json" for lang in at(w).bitext_languages()],
        translation=lambda w: jobs.translation_table(at(w)),
        cost="{results}/cost_table.tsv",
        script=script("make_report"),
        library=library("make_report"),
        template="workflow/scripts/optical/report/page.html",
    output:
        report(
            "{results}/report.html",
            caption="../workflow/report/report.rst",
            category="Report",
            labels={"page": "everything on one page"},
        ),
    log:
        "{results}/logs/make_report.log",
    benchmark:
        "{results}/benchmarks/make_report.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            collections=lambda w: {name: at(w).languages_of(name) for name in at(w).test_collections()},
            names=lambda w: jobs.names(at(w)),
            methods=lambda w: at(w).config.methods,
            measures=lambda w: at(w).config.measures,
            reference=lambda w: at(w).config.reference,
            rivals=lambda w: at(w).rivals(),
            settings=lambda w: settings.shown_settings(at(w)),
        ),
    message:
        "making the report: {output}"
    shell:
        "python {input.script} {params.arguments} --results $(dirname {output}) --out {output} --log {log}"
