"""What people read: figures, what a run cost, the report that holds it all, and what to do after a run."""


report: "../workflow/report/workflow.rst"


onsuccess:
    logger.info("\n".join(next_steps.next_steps(experiment)))


rule describe_queries:
    input:
        **code("describe_queries"),
        scores="{results}/scores/{collection}/{lang}.tsv",
        runs=lambda w: jobs.folders_of_runs(at(w), w.collection, w.lang),
        prepared=lambda w: at(w).collection(w.collection),
    output:
        "{results}/queries/{collection}/{lang}.json",
    log:
        "{results}/logs/describe_queries/{collection}/{lang}.log",
    benchmark:
        "{results}/benchmarks/describe_queries/{collection}/{lang}.tsv"
    conda:
        "../envs/evaluate.yaml"
    resources:
        **needs("describe_queries"),
    params:
        arguments=arguments(
            *("scores", "prepared", "collection", "lang"),
            keys=["measure"],
            jobs=lambda w: jobs.described_runs(at(w), w.collection, w.lang),
            passages=lambda w: at(w).config.collection_table[w.collection].split is not None,
        ),
    message:
        "collecting what was found for the queries of {wildcards.collection} in {wildcards.lang}"
    shell:
        RUN


rule plot_map:
    input:
        **code("plot_map"),
        cells="{results}/tables/{collection}/map_cells.tsv",
    output:
        **figure("{results}/figures/{collection}/map", "Retrieval", "means with intervals"),
    log:
        "{results}/logs/plot_map/{collection}.log",
    benchmark:
        "{results}/benchmarks/plot_map/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            *("cells", "collection", "out"),
            keys=["methods", "reference", "measure"],
            names=lambda w: jobs.titles(at(w), at(w).languages_of(w.collection)),
        ),
    message:
        "drawing the means of {wildcards.collection}"
    shell:
        RUN


rule plot_gap:
    input:
        **code("plot_gap"),
        cells="{results}/tables/{collection}/map_cells.tsv",
    output:
        **figure("{results}/figures/{collection}/gap", "Retrieval", "gap between resource levels"),
    log:
        "{results}/logs/plot_gap/{collection}.log",
    benchmark:
        "{results}/benchmarks/plot_gap/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments("cells", "collection", "out", keys=["methods", "measure"]),
    message:
        "drawing the gap between the resource levels of {wildcards.collection}"
    shell:
        RUN


rule plot_queries:
    input:
        **code("plot_queries"),
        scores=lambda w: jobs.scores(at(w), w.collection),
        cells="{results}/tables/{collection}/map_cells.tsv",
        prepared=lambda w: at(w).collection(w.collection),
    output:
        **figure("{results}/figures/{collection}/queries", "Retrieval", "gains and losses by query"),
    log:
        "{results}/logs/plot_queries/{collection}.log",
    benchmark:
        "{results}/benchmarks/plot_queries/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        **needs("plot_queries"),
    params:
        arguments=arguments(
            *("scores", "cells", "collection", "out"),
            method=lambda w: at(w).config.reference,
            rivals=lambda w: at(w).rivals(),
            keys=["methods", "measure"],
            names=lambda w: jobs.titles(at(w), at(w).languages_of(w.collection)),
        ),
    message:
        "drawing the gains and losses of single queries of {wildcards.collection}"
    shell:
        f"{RUN} --queries {{input.prepared}}/queries"


rule align_sentences:
    input:
        **code("align_sentences"),
        student=lambda w: jobs.shown_student(at(w), w.lang),
        teacher=lambda w: models.teacher(at(w)),
        start=lambda w: models.extended(at(w), w.lang),
        tokens=lambda w: models.student_tokens(at(w), w.lang),
        bitext=lambda w: at(w).bitext(w.lang, "dev"),
    output:
        "{results}/alignments/{lang}.json",
    log:
        "{results}/logs/align_sentences/{lang}.log",
    benchmark:
        "{results}/benchmarks/align_sentences/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        **needs(
            "align_sentences",
            model_mb=lambda w, input, precision: memory.reading_mb(
                [input.student], "fp32", at_once=3 if input.get("start") else 2
            ),
        ),
    params:
        arguments=arguments("lang", "student", "teacher", "start", "tokens", "bitext"),
    message:
        "aligning a sentence of {wildcards.lang} before and after distillation"
    shell:
        RUN


rule plot_alignment:
    input:
        **code("plot_alignment"),
        alignment="{results}/alignments/{lang}.json",
    output:
        **figure("{results}/figures/alignment/{lang}", "Token alignments", "alignment of a sentence pair"),
    log:
        "{results}/logs/plot_alignment/{lang}.log",
    benchmark:
        "{results}/benchmarks/plot_alignment/{lang}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments("alignment", "out"),
    message:
        "drawing the alignment of a sentence of {wildcards.lang}"
    shell:
        RUN


rule plot_curves:
    input:
        **code("plot_curves"),
        folders=lambda w: jobs.files_in(jobs.students(at(w)), "folder"),
    output:
        **figure("{results}/figures/curves", "Training", "learning curves"),
    log:
        "{results}/logs/plot_curves.log",
    benchmark:
        "{results}/benchmarks/plot_curves.tsv"
    conda:
        "../envs/report.yaml"
    params:
        arguments=arguments(
            "out",
            keys=["methods"],
            students=lambda w: jobs.students(at(w)),
            names=lambda w: jobs.titles(at(w), at(w).taught_languages()),
        ),
    message:
        "drawing the learning curves of the students"
    shell:
        RUN


rule make_report:
    input:
        **code("make_report"),
        cells=lambda w: jobs.tables(at(w), "map_cells.tsv"),
        figures=lambda w: jobs.figures(at(w)),
        alignments=lambda w: [f"{w.results}/alignments/{lang}.json" for lang in at(w).aligned_languages()],
        bitext=lambda w: [f"{w.results}/bitext/{lang}/report.json" for lang in at(w).bitext_languages()],
        translation=lambda w: translations.translation_table(at(w)),
        held_out=lambda w: jobs.held_out_tables(at(w)),
        pairs=lambda w: jobs.tables(at(w), "pairs.tsv"),
        queries=lambda w: jobs.described_queries(at(w)),
        matrices=lambda w: matrices.matrix_targets(at(w)),
        page=multiext("workflow/scripts/optical/report/page", ".html", ".css", ".js"),
    output:
        cost="{results}/cost_table.tsv",
        out=report(
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
    resources:
        **needs("make_report"),
    params:
        arguments=arguments(
            *("results", "held_out", "figures", "out", "cost"),
            collections=lambda w: {name: at(w).languages_of(name) for name in at(w).test_collections()},
            keys=["methods", "measures", "reference"],
            names=lambda w: jobs.names(at(w)),
            passage_languages=lambda w: matrices.passage_languages(at(w)),
            rivals=lambda w: at(w).rivals(),
            english=lambda w: at(w).english_methods(),
            settings=lambda w: settings.shown_settings(at(w)),
            note=lambda w: models.weights_note(at(w)),
        ),
    message:
        "making the report: {output.out}"
    shell:
        RUN
