"""What people read: figures, what a run cost, and the report that holds it all."""


report: "../workflow/report/workflow.rst"


rule make_cost_table:
    input:
        table="<results>/map_table.tsv",
        script=script("make_cost_table"),
        library=library("make_cost_table"),
    output:
        "<results>/cost_table.tsv",
    log:
        "<logs>/make_cost_table.log",
    benchmark:
        "<benchmarks>/make_cost_table.tsv"
    conda:
        "../envs/report.yaml"
    params:
        methods=list(config["method_table"]),
    message:
        "summing what the run cost: {output}"
    shell:
        "python {input.script} --benchmarks $(dirname {output})/benchmarks --methods {params.methods:q} "
        "--out {output} --log {log}"


rule plot_map:
    input:
        cells="<results>/tables/{collection}/map_cells.tsv",
        script=script("plot_map"),
        library=library("plot_map"),
    output:
        map=report(
            "<results>/figures/{collection}/map.svg",
            caption="../workflow/report/map.rst",
            category="Retrieval",
            labels={"collection": "{collection}", "figure": "means with intervals"},
        ),
        gap=report(
            "<results>/figures/{collection}/gap.svg",
            caption="../workflow/report/gap.rst",
            category="Retrieval",
            labels={"collection": "{collection}", "figure": "gap between resource levels"},
        ),
        others=multiext("<results>/figures/{collection}/", "map.png", "map.tsv", "gap.png", "gap.tsv"),
    log:
        "<logs>/plot_map/{collection}.log",
    benchmark:
        "<benchmarks>/plot_map/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        methods=config["methods"],
        reference=config["reference"],
        measure=config["measures"][0],
        names=panel_titles,
    message:
        "drawing the means of {wildcards.collection}"
    shell:
        "python {input.script} --cells {input.cells} --collection {wildcards.collection} --measure {params.measure:q} "
        "--methods {params.methods:q} --reference {params.reference:q} --names {params.names:q} "
        "--out $(dirname {output.map}) --log {log}"


rule plot_queries:
    input:
        scores=scores_of,
        cells="<results>/tables/{collection}/map_cells.tsv",
        collection="<results>/collections/{collection}",
        script=script("plot_queries"),
        library=library("plot_queries"),
    output:
        figure=report(
            "<results>/figures/{collection}/queries.svg",
            caption="../workflow/report/queries.rst",
            category="Retrieval",
            labels={"collection": "{collection}", "figure": "gains and losses by query"},
        ),
        others=multiext("<results>/figures/{collection}/queries", ".png", ".tsv"),
    log:
        "<logs>/plot_queries/{collection}.log",
    benchmark:
        "<benchmarks>/plot_queries/{collection}.tsv"
    conda:
        "../envs/report.yaml"
    params:
        method=config["reference"],
        rivals=rivals(),
        measure=config["measures"][0],
        names=panel_titles,
    message:
        "drawing the gains and losses of single queries of {wildcards.collection}"
    shell:
        "python {input.script} --scores {input.scores} --cells {input.cells} "
        "--queries {input.collection}/queries --collection {wildcards.collection} --measure {params.measure:q} "
        "--method {params.method:q} --rivals {params.rivals:q} --names {params.names:q} "
        "--out $(dirname {output.figure})/queries --log {log}"


rule align_sentences:
    input:
        student=shown_student,
        teacher=teacher(),
        start=extended("<results>/extended/{lang}"),
        tokens=student_tokens(),
        bitext="<results>/bitext/{lang}/dev.tsv",
        script=script("align_sentences"),
        library=library("align_sentences"),
    output:
        "<results>/alignments/{lang}.json",
    log:
        "<logs>/align_sentences/{lang}.log",
    benchmark:
        "<benchmarks>/align_sentences/{lang}.tsv"
    conda:
        "../envs/train.yaml"
    resources:
        mem_mb=memory(2000, 2),
        runtime=duration(30),
    params:
        start=option("start"),
    message:
        "aligning a sentence of {wildcards.lang} before and after distillation"
    shell:
        "python {input.script} --lang {wildcards.lang} --student {input.student} --teacher {input.teacher:q} "
        "{params.start:q} --tokens {input.tokens} --bitext {input.bitext} --out {output} --log {log}"


rule plot_alignment:
    input:
        alignment="<results>/alignments/{lang}.json",
        script=script("plot_alignment"),
        library=library("plot_alignment"),
    output:
        figure=report(
            "<results>/figures/alignment/{lang}.svg",
            caption="../workflow/report/alignment.rst",
            category="Token alignments",
            labels={"language": "{lang}"},
        ),
        others=multiext("<results>/figures/alignment/{lang}", ".png", ".tsv"),
    log:
        "<logs>/plot_alignment/{lang}.log",
    benchmark:
        "<benchmarks>/plot_alignment/{lang}.tsv"
    conda:
        "../envs/report.yaml"
    message:
        "drawing the alignment of a sentence of {wildcards.lang}"
    shell:
        "python {input.script} --alignment {input.alignment} --out $(dirname {output.figure})/{wildcards.lang} "
        "--log {log}"


rule plot_curves:
    input:
        students=all_students(),
        script=script("plot_curves"),
        library=library("plot_curves"),
    output:
        figure=report(
            "<results>/figures/curves.svg",
            caption="../workflow/report/curves.rst",
            category="Training",
            labels={"figure": "learning curves"},
        ),
        others=multiext("<results>/figures/curves", ".png", ".tsv"),
    log:
        "<logs>/plot_curves.log",
    benchmark:
        "<benchmarks>/plot_curves.tsv"
    conda:
        "../envs/report.yaml"
    params:
        students=students_argument,
        methods=config["methods"],
        reference=config["reference"],
        names=ordered_argument(titles_of(config["languages"])),
    message:
        "drawing the learning curves of the students"
    shell:
        "python {input.script} --students {params.students:q} --methods {params.methods:q} "
        "--reference {params.reference:q} --names {params.names:q} --out $(dirname {output.figure})/curves --log {log}"


rule make_report:
    input:
        cells=collect("<results>/tables/{collection}/map_cells.tsv", collection=config["collections"]),
        figures=report_figures,
        alignments=collect("<results>/alignments/{lang}.json", lang=aligned_languages()),
        bitext=collect("<results>/bitext/{lang}/report.json", lang=bitext_languages()),
        translation=translation_table(),
        cost="<results>/cost_table.tsv",
        script=script("make_report"),
        library=library("make_report"),
        template=f"{SCRIPTS}/optical/report/page.html",
    output:
        report(
            "<results>/report.html",
            caption="../workflow/report/report.rst",
            category="Report",
            labels={"page": "everything on one page"},
        ),
    log:
        "<logs>/make_report.log",
    benchmark:
        "<benchmarks>/make_report.tsv"
    conda:
        "../envs/report.yaml"
    params:
        collections=ordered_argument({collection: languages_of(collection) for collection in config["collections"]}),
        names=ordered_argument({lang: LANGUAGES[lang]["name"] for lang in config["languages"]}),
        methods=config["methods"],
        measures=config["measures"],
        reference=config["reference"],
        rivals=rivals(),
        settings=shown_settings,
    message:
        "making the report: {output}"
    shell:
        "python {input.script} --results $(dirname {output}) --collections {params.collections:q} "
        "--names {params.names:q} --methods {params.methods:q} --measures {params.measures:q} "
        "--reference {params.reference:q} --rivals {params.rivals:q} --settings {params.settings:q} --out {output} "
        "--log {log}"
