# For people who change the project; who only runs it needs none of this.
.PHONY: check lint test small bench docs

# Several tests at a time; each keeps to one core.
PROCESSES ?= auto
BENCHMARKS = transport distillation encoding search default_run planning
export OMP_NUM_THREADS ?= 1

check: lint test

lint:
	ruff check .
	ruff format --check .
	snakefmt --check rules workflow/Snakefile
	snakemake --lint

test:
	@python -m pytest -n $(PROCESSES) --maxprocesses 8 --dist loadfile

# The small experiment in a folder of its own; a second call runs only what a change touched.
small:
	mkdir -p results/small
	cd results/small && ln -sfn ../../workflow ../../rules ../../envs ../../config .
	cd results/small && snakemake --cores 2 --configfile ../../tests/config/small.yaml -- results/map_table.tsv
	cat results/small/results/map_table.tsv

# Every claim about speed; the lines that say whether it is met are gathered in results/bench.tsv. Takes an hour, with all
# cores: nothing else should run. Peers that are not installed are left out: pip install -e ".[bench]" in an environment
# of its own.
bench: export OMP_NUM_THREADS = $(shell nproc)
bench:
	printf 'claim\tmeasured\tbar\tresult\n' > results/bench.tsv
	for program in $(BENCHMARKS); do \
	  python benchmarks/$$program.py | tee results/bench.txt || exit 1; \
	  grep -P '\t(met|short|no GPU)$$' results/bench.txt >> results/bench.tsv; \
	done; rm results/bench.txt

# The tables of keys in config/README.md, from the schema.
docs:
	python workflow/scripts/describe_config.py --schema workflow/schemas/config.schema.yaml --page config/README.md
