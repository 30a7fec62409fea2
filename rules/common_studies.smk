"""Helpers of the rules of the studies: which experiments a study is made of, and the scores that they end in."""

import json
from copy import deepcopy
from types import SimpleNamespace

from snakemake.utils import update_config

VARIANTS = {
    name: changes
    for name, changes in config["study"]["variants"].items()
    if name in config["study"]["only"] or not config["study"]["only"]
}


def study_reference():
    """Return what a study tests against: a variant where variants are compared, else a method."""
    return config["study"]["reference"] or config["reference"]


@in_one_line
def check_study():
    """Refuse a study that names a variant or a method which it does not have."""
    study = config["study"]
    check_names(study["only"], "study.only", study["variants"], "name one of study.variants")
    by_variant = study["compare"] == "variants"
    known, key = (study["variants"], "study.variants") if by_variant else (config["methods"], "methods")
    check_names([study_reference()], "study.reference", known, f"name one of {key}")


check_study()


def config_of_variant(variant, repeat):
    """Return the config of a variant: the study's with its changes, blocks within blocks, in a folder of its own.

    `{study}` in a change is the study's folder, where models lie that a variant takes from it. `repeat` is the seed of
    encoder and teacher, and a folder below the variant's; None where nothing is repeated.
    """
    changed = deepcopy({key: value for key, value in config.items() if key not in ("study", "pathvars")})
    changes = json.loads(json.dumps(VARIANTS[variant]).replace("{study}", results()))
    update_config(changed, {"results": f"{results()}/{variant}"} | changes)
    if repeat is not None:
        seeds = {"pretraining": {"seed": repeat}, "teacher": {"seed": repeat}}
        update_config(changed, {"results": f"{results()}/{variant}/{repeat}"} | seeds)
    return changed


def repeats():
    """Return the repeats of each variant: one without a name where the study names none."""
    return config["study"]["repeats"] or [None]


def module_configs():
    """Return the config of each experiment that the study adds, by the beginning of its rules' names."""
    return {
        variant if repeat is None else f"{variant}_{repeat}": config_of_variant(variant, repeat)
        for variant, repeat in product(VARIANTS, repeats())
    }


def experiments():
    """Return (variant, repeat, config) of the experiments of the study: itself where it has no variants."""
    made = [(*part, config_of_variant(*part)) for part in product(VARIANTS, repeats())]
    return made or [("", None, config)]


def study_places():
    """Return every place of the study that has scores: variant, repeat, share, collection, language, and its files."""
    places = []
    for variant, repeat, own in experiments():
        below = [share for share in own["bitext_curve"]["shares"] if share < 100]
        shares = [*below, 100] if config["study"]["shares"] else [100]
        for share, collection in product(shares, own["collections"]):
            here = own["results"] if share == 100 else f"{own['results']}/bitext_curve/{share}"
            asked = own["collection_table"][collection].get("languages", own["languages"])
            for lang in [lang for lang in own["languages"] if lang in asked]:
                bitext = f"{own['results']}/bitext/{lang}/train.tsv" if share == 100 else f"{here}/bitext/{lang}.tsv"
                scores = f"{here}/scores/{collection}/{lang}.tsv"
                places.append(
                    {"variant": variant, "repeat": repeat, "share": share, "collection": collection, "lang": lang}
                    | {"scores": scores, "bitext": bitext if study_learns(own) else ""}
                )
    return places


def alignment_places():
    """Return every place of the study that has figures of the alignment of names, as those of `study_places`."""
    return [
        {"variant": variant, "repeat": repeat, "share": 100, "collection": ALIGNED, "lang": lang}
        | {"scores": f"{own['results']}/alignment/{lang}.tsv", "bitext": f"{own['results']}/bitext/{lang}/train.tsv"}
        for variant, repeat, own in experiments()
        for lang in own["languages"]
    ]


def alignment_scores(wildcards):
    """Return the figures of the alignment of all experiments of the study."""
    return [place["scores"] for place in alignment_places()]


def alignment_bitext(wildcards):
    """Return the sentence pairs of all experiments of the study, to be counted."""
    return [place["bitext"] for place in alignment_places()]


def alignment_table_jobs(wildcards):
    """Return the figures of the alignment as the program takes them that makes the study's table."""
    return as_argument(alignment_places())


def study_learns(own):
    """Return whether an experiment has sentence pairs that its methods learn from."""
    return any(own["method_table"][method]["kind"] in BITEXT_KINDS for method in own["methods"])


def study_scores(wildcards):
    """Return the scores of all conditions of the study."""
    return [place["scores"] for place in study_places()]


def study_bitext(wildcards):
    """Return the sentence pairs of all conditions of the study, to be counted."""
    return flatten_values([place["bitext"] for place in study_places() if place["bitext"]])


def study_jobs(wildcards):
    """Return the conditions of the study as a program takes them."""
    return as_argument(study_places())
