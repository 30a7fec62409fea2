"""Helpers of the rules of the studies: which experiments a study is made of, and the scores that they end in."""

from copy import deepcopy
from types import SimpleNamespace

from snakemake.utils import update_config

VARIANTS = {
    name: changes
    for name, changes in config["study"]["variants"].items()
    if name in config["study"]["only"] or not config["study"]["only"]
}


def config_of_variant(name):
    """Return the config of a variant: the study's with its changes, blocks within blocks, in a folder of its own."""
    changed = deepcopy({key: value for key, value in config.items() if key not in ("study", "pathvars")})
    update_config(changed, {"results": f"{results()}/{name}"} | deepcopy(VARIANTS[name]))
    return changed


def experiments():
    """Return the experiments of the study by variant: itself where it has none."""
    return {name: config_of_variant(name) for name in VARIANTS} or {"": config}


def study_places():
    """Return every place of the study that has scores: variant, share, collection, language, scores and bitext."""
    places = []
    for variant, own in experiments().items():
        shares = [*own["bitext_curve"]["shares"], 100] if config["study"]["shares"] else [100]
        for share, collection in product(shares, own["collections"]):
            here = own["results"] if share == 100 else f"{own['results']}/bitext_curve/{share}"
            asked = own["collection_table"][collection].get("languages", own["languages"])
            for lang in [lang for lang in own["languages"] if lang in asked]:
                bitext = f"{own['results']}/bitext/{lang}/train.tsv" if share == 100 else f"{here}/bitext/{lang}.tsv"
                scores = f"{here}/scores/{collection}/{lang}.tsv"
                places.append(
                    {"variant": variant, "share": share, "collection": collection, "lang": lang}
                    | {"scores": scores, "bitext": bitext if study_learns(own) else ""}
                )
    return places


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


def study_reference():
    """Return what a study tests against: a variant where variants are compared, else a method."""
    return config["study"]["reference"] or config["reference"]
