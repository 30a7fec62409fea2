"""What the rules share: the experiments, what a job is made from and needs, and its command.

`optical.plan` says what an experiment consists of. The rules serve every experiment of the config: the main one, variants
of a study, shares of the sentence pairs, points of a grid. `{results}` is its folder, and `at(wildcards)` looks it up.
"""

import os
import re
import sys
from functools import partial
from operator import attrgetter
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

sys.path.insert(0, f"{workflow.basedir}/scripts")
# Idle threads must sleep, not spin, where more jobs run than the machine has cores.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# A job without an environment of its own runs in the driver's, also where that was not activated.
os.environ.update(PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", "")]))

from optical.config.names import SHARED
from optical.plan import changes, checks, downloads, fusions, jobs, matrices, memory, models, searching, settings
from optical.plan import next_steps, sources, translations
from optical.plan.arguments import argument_file, command_words
from optical.plan.experiment import Experiment
from optical.plan.faults import raising
from optical.plan.resources import NEEDS, input_mb, memory_mb, minutes, of_machine, raised
from optical.runtime.imports import library_files

in_one_line = partial(raising, WorkflowError)
PLAN = changes, downloads, jobs, matrices, memory, models, searching, settings, sources, translations
changes, downloads, jobs, matrices, memory, models, searching, settings, sources, translations = map(in_one_line, PLAN)
experiment = in_one_line(Experiment.from_config)({key: config[key] for key in config if key != "pathvars"})
in_one_line(checks.check)(experiment, workflow.configfiles)
if workflow.is_main_process:
    for doubt in checks.warnings(experiment):
        logger.warning(doubt)
EXPERIMENTS = changes.family(experiment)
config.update(experiment.config.model_dump(mode="json") | config)  # Snakemake's report shows keys that have defaults


def at(wildcards):
    """Return the experiment that a job belongs to."""
    return EXPERIMENTS[wildcards.results]


def any_of(names):
    """Return a pattern that matches exactly these names, whatever signs they hold."""
    return "|".join(map(re.escape, dict.fromkeys(names))) or "(?!)"


def methods_of_kind(*kinds):
    """Return a pattern of the methods of some kinds, in any of the experiments."""
    return any_of(name for each in EXPERIMENTS.values() for kind in kinds for name in each.methods_of_kind(kind))


# --- where downloads lie is no matter of a job's params or resources; programs take both from the environment

os.environ.setdefault("IR_DATASETS_HOME", "results/ir_datasets")
if experiment.config.mirror:
    os.environ.update(OPTICAL_MIRROR=str(Path(experiment.config.mirror).resolve()))


# --- inputs, params and resources


def code(name, unused=None):
    """Return the inputs that are code, a program and the library files it imports, so that an edit reruns their jobs.

    `unused` tells, from the wildcards, which modules are not used.
    """
    program = f"workflow/scripts/{name}.py"
    library = (lambda w: library_files(program, unused(w))) if unused else library_files(program)
    return {"script": program, "library": library}


def arguments(*names, keys=(), **options):
    """Return a param: the words that hand a program its options, the rule's output as `--out` among them.

    Args:
        names: options that are inputs, outputs or wildcards of the same name; one without a file is left out.
        keys: options that are keys of the config: search.top_k is `--top-k`.
        options: others, values or functions of the wildcards.
    """

    def words(wildcards, **job):  # Snakemake sees no change in a param whose function names input or output
        output, parts = job["output"], (wildcards, job["output"], job["input"])
        named = {name: value for part in parts for name, value in part.items()}
        plain = {name: named[name] for name in names if name in named}
        values = {name: value(wildcards) if callable(value) else value for name, value in options.items()}
        settings = {key.split(".")[-1]: attrgetter(key)(at(wildcards).config) for key in keys}
        return command_words(plain if output.keys() else plain | {"out": output[0]}, values | settings)

    return words


def needs(rule, more_mb=0, model_mb=None):
    """Return the resources of a rule's jobs. `model_mb` reckons the memory of one with a model, None where it cannot."""
    need, machine = NEEDS[rule], experiment.config.machine
    parts_of = lambda wildcards: experiment.config.search.parts if wildcards.get("part") else 1

    def mem_mb(wildcards, input, attempt):
        reckoned = model_mb(wildcards, input, machine.precision) if model_mb and not machine.gpus else None
        if reckoned:
            return raised(reckoned, attempt)
        return memory_mb(need, input_mb(need, input), attempt, more_mb, parts_of(wildcards))

    def runtime(wildcards, attempt):
        return minutes(need, attempt, parts_of(wildcards))

    asked = {"mem_mb": mem_mb, "runtime": need.minutes if need.training else runtime}
    return asked | of_machine(need, machine)


def figure(stem, category, what):
    """Return the outputs of a figure: an SVG, which Snakemake's report shows, a PNG of it and the table of its values."""
    caption = next(part for part in reversed(Path(stem).parts) if "{" not in part)
    labels = {name: f"{{{name}}}" for name in re.findall(r"{(\w+)}", stem) if name != "results"} | {"figure": what}
    svg = report(f"{stem}.svg", caption=f"../workflow/report/{caption}.rst", category=category, labels=labels)
    return {"out": svg, "others": multiext(stem, ".png", ".tsv")}


SHARES = [folder for folder, each in EXPERIMENTS.items() if each.share < 100]
METHODS = any_of(name for each in EXPERIMENTS.values() for name in each.config.method_table)
TRAINING_SETS = any_of(owner for each in EXPERIMENTS.values() for owner in each.owners_of_training_sets())
THREADS = experiment.config.machine.threads

# --- shell commands; `exec`, since a shell of before Bash 5.1 ends at SIGTERM, and Slurm kills a training that still saves

RUN = "exec python {input.script} {params.arguments:q} --log {log}"
ON_DEVICE = "--device {resources.device} --precision {resources.precision} --threads {threads}"
RUN_MODEL = f"{RUN} {ON_DEVICE}"
TRAIN = (
    "exec {resources.launcher} {input.script} {params.arguments:q} --log {log} "
    "--checkpoints results/checkpoints --checkpoint-minutes {resources.checkpoint_minutes} "
    "--checkpoint-steps {resources.checkpoint_steps} "
    f"--runtime-minutes $(({{resources.runtime}} * {{resources.stop_before_runtime}})) {ON_DEVICE}"
)
