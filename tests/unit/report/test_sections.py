"""The page of the report: escaped, complete in itself, silent about what was not run yet."""

import dataclasses
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from optical.errors import DataError
from optical.evaluation.comparison import CELL_COLUMNS, Cell, cell_rows
from optical.files import read_table, write_json, write_rows
from optical.report.html import Section, Text, data_block, inline_svg, page, table
from optical.report.provenance import provenance_files, provenance_section
from optical.report.queries import every_query_section, query_data
from optical.report.sections import (
    EXAMPLES,
    Report,
    cost_section,
    differences_section,
    gap_section,
    held_out_section,
    queries_section,
    summary,
    table_section,
    translation_section,
)
from support.report_results import LANGS, METHODS, NAMES, draw_figures, make_page, make_report_results, rivals_of

VOID = {"meta", "link", "br", "img", "path", "use", "rect", "image"}


class Reader(HTMLParser):
    """Collects what a test asks for, and checks that every element is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.addresses, self.langs, self.headings = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids += [found["id"]] if "id" in found else []
        self.addresses += [found[key] for key in ("href", "src", "xlink:href") if key in found]
        self.langs += [found["lang"]] if "lang" in found else []
        self.headings += [tag] if re.fullmatch(r"h\d", tag) else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return draw_figures(make_report_results(tmp_path_factory.mktemp("results"), queries=12, seeds=1))


@pytest.fixture
def report(results):
    figures = list(results.glob("figures/**/*.svg"))
    of_experiment = ({"atlas": LANGS}, NAMES, list(METHODS), ["AP", "RR"], "optical", rivals_of(METHODS))
    return Report(results, *of_experiment, figures=figures)


def test_the_page_says_which_students_training_did_not_help(report):
    row = {"lang": "sw", "method": "<mse>", "seed": "1", "pairs": "40", "student": "0.2", "start": "0.3", "bm25": "0.1"}
    row |= {"p_start": "0.01", "than_start": "worse", "p_bm25": "0.02", "than_bm25": "better"}
    section = held_out_section([row])
    assert "&lt;mse&gt; (sw: 0.2, 0.3)" in section.body and "1 of 1 students are better than BM25" in section.body
    assert "Training made these students worse" in summary(report, [row])
    assert "Training" not in summary(report)
    assert held_out_section([]) is None


def test_the_whole_page_is_well_formed_and_needs_nothing_else(results, tmp_path):
    whole = shutil.copytree(results, tmp_path / "results")
    pair = Cell("atlas", "optical", "all pairs", "AP", status="OK", mean=0.5, mean_low=0.4, mean_high=0.6)
    write_rows(whole / "tables/atlas/matrix.tsv", [CELL_COLUMNS, *cell_rows([pair])])
    reader = Reader(make_page(whole).read_text(encoding="utf-8"))
    assert {"any-to-any", "pairs"} <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))
    assert all(address.startswith(("#", "data:")) for address in reader.addresses)
    assert {address[1:] for address in reader.addresses if address.startswith("#")} <= set(reader.ids)
    assert set(LANGS) <= set(reader.langs)
    assert reader.headings[0] == "h1"
    assert reader.headings.count("h1") == 1


def test_a_note_about_the_encoder_stands_at_the_top(results):
    assert "English documents (atlas). Its weights had 4 bits.</p>" in make_page(results).read_text(encoding="utf-8")


def test_the_same_results_make_the_same_page(results):
    assert make_page(results).read_bytes() == make_page(results).read_bytes()


def test_texts_are_escaped():
    assert "<b>" not in table(["a", "<b>"], [["<b>", Text("<b> & “c”", "sw")]], "<b>")
    files = {"page.html": "$title $lead $contents $sections $fonts $style $script $script_hash"}
    shown = page(files | {"page.css": "$families", "page.js": ""}, "<b>", "", [Section("a", "<b>", "")])
    assert "<b>" not in shown
    assert "</script><b>" not in data_block("a", "</script><b>")


def test_only_columns_of_numbers_stand_at_the_right():
    html = table(
        ["method", "AP", "what"], [["bm25", "0.123⁺", "1 or 2"], ["mse", "0.1 ± 0.02", "2"]], "c", marked="mse"
    )
    assert html.count('<td class="number">') == 2
    assert html.count('<tr class="marked">') == 1


@pytest.mark.parametrize("reference", ["optical", "english"])
def test_the_best_that_reads_no_english_is_bold_in_each_column(report, reference):
    report = dataclasses.replace(report, reference=reference, english=["english"])
    first = table_section(report).body.split("</table>")[0]
    bold = {row.split("<")[0] for row in first.split('<th scope="row">')[1:] if 'class="number best"' in row}
    assert bold <= {"optical", "contrastive"} and first.count('class="number best"') >= len(LANGS) + 2


def test_every_method_is_set_beside_every_other_one_with_interval_and_p(report):
    body = differences_section(report).body
    assert re.findall("<summary>Compare with (.*?)</summary>", body) == [
        "optical",
        *(name for name in METHODS if name != "optical"),
    ]
    assert len(re.findall("<details [^>]*open>", body)) == 1
    rows = body.count('<th scope="row"')
    assert rows == len(METHODS) * (len(METHODS) - 1)
    cell = r"[+−]\d\.\d{3}[⁺⁻]?<small>[+−]\d\.\d{3} to [+−]\d\.\d{3}\np (= \d|< 0)\.\d{3}</small></td>"
    assert len(re.findall(cell, body)) == rows * (len(LANGS) + 3)


def test_the_list_of_queries_has_each_query_once_with_the_passages_of_all_methods(report):
    data = query_data(report, "atlas", LANGS)
    assert (data["method"], data["opponent"], list(data["languages"])) == ("optical", "contrastive", LANGS)
    record = data["records"]["mr"]
    assert len(record["queries"]) == len(record["methods"]["mse"]["scores"]) == 12
    assert {name for names in record["methods"]["mse"]["found"] for name in names} == data["passages"].keys()
    assert every_query_section(report).body.count("</script>") == 1


def test_what_was_not_run_says_so_and_is_no_zero(results, tmp_path):
    cells = results / "tables/atlas/map_cells.tsv"
    lines = cells.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("atlas\tmse\tsw\tAP")]
    (tmp_path / "tables/atlas").mkdir(parents=True)
    (tmp_path / "tables/atlas/map_cells.tsv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    body = table_section(
        Report(tmp_path, {"atlas": LANGS}, NAMES, list(METHODS), ["AP"], "optical", rivals_of(METHODS))
    ).body
    assert body.count("NOT RUN") == 1


def test_the_summary_names_the_strongest_rival_and_the_figure_takes_the_same(report):
    text = summary(report)
    assert "on low-resource languages" in text
    assert "contrastive" in text
    assert "english" not in text
    assert "optical against contrastive, the strongest other method on low-resource" in queries_section(report).body


def test_the_summary_speaks_of_high_resource_languages_where_no_rival_has_the_others(results, tmp_path):
    lines = (results / "tables/atlas/map_cells.tsv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.split("\t")[2] != "low" or line.split("\t")[1] == "optical"]
    write_rows(tmp_path / "tables/atlas/map_cells.tsv", (line.split("\t") for line in kept))
    text = summary(Report(tmp_path, {"atlas": LANGS}, NAMES, list(METHODS), ["AP"], "optical", ["mse", "contrastive"]))
    assert "on high-resource languages" in text
    assert "contrastive" in text


def test_marks_of_significance_reach_the_table(report):
    body = table_section(report).body
    assert "⁻" in body.split("</table>")[0]
    assert "Holm" in body


def test_best_and_worst_queries_have_texts_in_both_languages(report):
    body = queries_section(report).body
    assert 'lang="mr">ग्वाटेमाला' in body
    assert "government of Guatemala" in body
    assert body.count("<tr><th") <= (1 + 2 * EXAMPLES) * len(LANGS)


def test_sections_without_files_are_left_out(tmp_path):
    empty = Report(tmp_path, {"atlas": LANGS}, NAMES, list(METHODS), ["AP"], "optical", rivals_of(METHODS))
    assert queries_section(empty) is None
    assert differences_section(empty) is None
    assert every_query_section(empty) is None
    assert translation_section(empty) is None


def test_provenance_has_code_packages_and_checksums_but_no_model_path(results, report):
    body = provenance_section(report).body
    assert "0" * 40 in body
    assert "POT 0.9.7.post1" in body
    assert "cpu: Linux Some CPU x86_64 amx_bf16 avx512_vnni" in body
    assert re.search(r"\b[0-9a-f]{64}\b", body)
    assert str(results) not in body


def test_models_of_a_language_are_counted_and_those_of_other_methods_are_not(results, report):
    before = provenance_files(report)
    record = (results / "students/sw/optical/1/provenance.json").read_bytes()
    names = ("translators/sw/shared", "extended/de", "translators/sw/optical", "students/sw/given-up/1")
    folders = [results / name for name in names]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / "provenance.json").write_bytes(record)
    found = provenance_files(report)
    for folder in folders:
        shutil.rmtree(folder)
    assert {path.parent for path in found} - {path.parent for path in before} == set(folders[:3])


def test_students_of_seeds_that_the_config_has_no_longer_are_not_counted(results, report):
    of_seed_7 = results / "students/sw/optical/7"
    before = provenance_files(report)
    shutil.copytree(results / "students/sw/optical/1", of_seed_7)
    found = provenance_files(replace(report, settings={"seeds": [1]}))
    shutil.rmtree(of_seed_7)
    assert found == before != []


def test_what_a_killed_training_left_has_no_provenance(results, report):
    left = results / "students/sw/optical/.1.x1"
    before = provenance_files(report)
    shutil.copytree(results / "students/sw/optical/1", left)
    found = provenance_files(report)
    shutil.rmtree(left)
    assert found == before != []


def test_ids_of_two_figures_do_not_meet():
    svg = '<svg width="72pt" height="9pt"><path id="a" clip-path="url(#a)"/><use xlink:href="#a"/></svg>'
    one, two = inline_svg(svg, "one", "p"), inline_svg(svg, "two", "q")
    assert set(re.findall(r'[#"](p-a)', one)) == {"p-a"}
    assert "p-a" not in two
    assert 'height="9pt"' not in one


def test_a_damaged_table_is_named(tmp_path):
    write_rows(tmp_path / "table.tsv", [("a", "b"), ("1",)])
    with pytest.raises(DataError, match="line 2 has 1"):
        read_table(tmp_path / "table.tsv")


def test_a_run_without_training_has_a_provenance_too(tmp_path):
    write_json(tmp_path / "tables/atlas/map_cells.tsv", {})
    empty = Report(tmp_path, {"atlas": LANGS}, NAMES, ["bm25"], ["AP"], "bm25", [])
    assert "no model was trained" in provenance_section(empty).body


def test_columns_without_a_value_are_left_out():
    body = cost_section([("rule", "gpu", "jobs"), ("a", "", "1"), ("b", "", "2")]).body
    assert ">jobs<" in body
    assert ">gpu<" not in body


def test_figures_that_an_earlier_config_has_left_are_not_shown(report):
    without = replace(report, figures=[path for path in report.figures if path.stem != "gap"])
    assert (report.results / "figures/atlas/gap.svg").is_file()
    assert gap_section(report) and gap_section(without) is None
