# For people who change the project; who only runs it needs none of this.
.PHONY: check lint reference test fuzz changes small peers bench docs

# Several tests at a time; each keeps to one core.
PROCESSES ?= auto
BENCHMARKS = transport distillation encoding large_vocabulary search default_run planning command_line serving
export OMP_NUM_THREADS ?= 1

check: lint reference test

lint:
	ruff check .
	ruff format --check .
	snakefmt --check rules workflow/Snakefile
	snakemake --lint
	mypy

# The API reference as HTML, from the docstrings: results/reference/index.html. A warning is an error.
reference:
	python -m mkdocs build -f docs/reference.yml

test:
	@python -m pytest -n $(PROCESSES) --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# Every reader of files from outside with 10,000 random and 1,500 bit-flipped inputs; a few minutes. An input follows from
# its number, which the line of a fault names.
fuzz:
	PYTHONPATH=workflow/scripts:tests python -m support.fuzz --random 10000 --flipped 1500

# 1,000 random sequences of changes of an index, and 20 processes that are killed while they change one; a few minutes.
changes:
	PYTHONPATH=workflow/scripts:tests python -m support.index_sequences --sequences 1000 --kills 20

# The small experiment in a folder of its own; a second call runs only what a change touched.
small:
	mkdir -p results/small
	cd results/small && ln -sfn ../../workflow ../../rules ../../envs ../../config .
	cd results/small && snakemake --cores 2 --configfile ../../tests/config/small.yaml -- results/map_table.tsv
	cat results/small/results/map_table.tsv

# An environment for each program that the benchmarks compare with, in .venv-peers; one that is there is kept.
peers:
	python benchmarks/peers.py

# Every claim about speed, with all cores: nothing else should run. Takes about 40 minutes on two cores. What each program
# prints is kept in results/bench/, its lines of claims are gathered in results/bench.tsv; a program that fails stops it.
# A peer whose environment cannot be built is named in its lines.
bench: export OMP_NUM_THREADS = $(shell nproc)
bench: SHELL = bash
bench:
	-@$(MAKE) --no-print-directory peers
	@set -euo pipefail; rm -rf results/bench results/bench.tsv; mkdir -p results/bench; \
	for program in $(BENCHMARKS); do \
	  echo "== $$program"; python benchmarks/$$program.py | tee results/bench/$$program.txt; \
	  grep -P '\t(met|short|no GPU|no peer|no bf16|no int8)$$' results/bench/$$program.txt >> results/bench/claims.tsv; \
	done; \
	{ printf 'claim\tmeasured\tbar\tresult\n'; cat results/bench/claims.tsv; } > results/bench.tsv

# The tables of keys in config/README.md and the schema for editors, from the classes of optical/config; the packages and
# their picture in docs/architecture.md, from their imports.
docs:
	python workflow/scripts/describe_config.py --page config/README.md --schema workflow/schemas/config.schema.json
	PYTHONPATH=workflow/scripts:tests python -m support.architecture
