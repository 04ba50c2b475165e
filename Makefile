# Set-up, the default run, and the checks. `make help` lists the targets.

PYTHON ?= python3
# Torch has a step of its own, because its builds differ in size by gigabytes. To take another one:
#   make test TORCH="torch==2.13.0 --index-url ADDRESS-OF-THE-SMALL-CPU-BUILD"
TORCH ?= torch==2.13.0
# What `make reproduce` runs, and on how many cores.
PRESET ?= config/demo.yaml
CORES ?= all
# Which of the long tests `make test-long` runs.
LONG ?= tests
# Which parts of the golden record `make golden` compares; none named means all.
GOLDEN ?=
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help reproduce test test-long golden lint format bench docs lock clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 14

reproduce: $(VENV)/.ready  ## run the default preset (or PRESET=FILE); ends by naming its report
	$(BIN)/blsh run --configfile $(PRESET) --cores $(CORES)

test: $(VENV)/.ready  ## run the test suite
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/.long  ## kill runs, fill disks, fuzz, use SLURM and a browser (hours; BLSH_LONG=short: minutes)
	$(BIN)/python -m pytest -m long -v $(LONG)

golden: $(VENV)/.ready  ## compare jobs, reports and results with the record (GOLDEN="jobs reports": some of them)
	$(BIN)/python -m tests.golden $(GOLDEN)

lint: $(VENV)/.ready  ## check style, formatting and the workflow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

format: $(VENV)/.ready  ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

bench: $(VENV)/.ready  ## measure speed side by side with peers
	$(BIN)/python -m pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks.run

docs: $(VENV)/.ready  ## write the files that are generated from the config model
	$(BIN)/python -m blsh.experiment.documents

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet $(TORCH)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

$(VENV)/.long: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --editable '.[cluster,long]'
	touch $@

lock:  ## renew requirements.lock from pyproject.toml, in a fresh environment
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet '.[demo,dev]'
	head -n 1 requirements.lock > build/requirements.lock
	build/lock/bin/python -m pip freeze --exclude blsh >> build/requirements.lock
	mv build/requirements.lock requirements.lock

clean:  ## remove the environment (results stay)
	rm -rf $(VENV)
