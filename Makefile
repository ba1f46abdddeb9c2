# `make demo` and `make test` need Python 3.11 or later, make and git; everything else is installed into .venv.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
    $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
CHECK_PYTHON = test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
    { echo "reelsieve needs Python 3.11 or later, with make PYTHON=/path/to/python3"; exit 1; }
BIN := .venv/bin
TEST_JOBS ?= 3 # files of tests at a time; many of them wait for servers and clusters
TESTS := $(addprefix tests/,slurm workflow faults docs unit) # the longest first
# Only the command line's DIR counts: a shell, or `make test`, may have one of its own.
DIR := demo
CORES ?= $(shell getconf _NPROCESSORS_ONLN)
DEMO_FILES := $(shell find config/demo/config config/demo/clips -type f) config/demo/detector.pt

.PHONY: help demo install init status verify test test-slurm lint bench lock docs clean

init status verify: export DIR := $(DIR)

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: .venv/run.installed demo/laid.out ## run the whole workflow on the demo's clips, into demo/
	$(BIN)/snakemake --cores $(CORES) --resources gpu=1 --directory demo

install: .venv/run.installed ## install the pinned packages into .venv

init: ## lay out a run folder for your own videos: make init DIR=my-run
	@test "$(origin DIR)" != file || { echo "say where: make init DIR=my-run"; exit 1; }
	@$(CHECK_PYTHON)
	@$(PYTHON) config/init.py "$$DIR"

status: .venv/run.installed ## show the progress of the run in DIR, also while it runs: make status DIR=my-run
	@$(BIN)/python -m scripts.run.status "$$DIR"

verify: .venv/run.installed ## print digests of a run folder's dataset and results, to compare with another's: make verify DIR=my-run
	@$(BIN)/snakemake verify --directory "$$DIR" --cores 1 --quiet all

# Python keeps the bytecode, whatever the shell says: the tests start it hundreds of times.
test: .venv/test.installed lint ## run the linters and all tests
	env -u PYTHONDONTWRITEBYTECODE \
	    $(BIN)/python -m pytest -rs -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder --durations 10 $(TESTS)

test-slurm: .venv/test.installed ## test both SLURM profiles on a SLURM that the tests start (needs root and apt-get, else skips)
	REELSIEVE_WHOLE=1 $(BIN)/python -m pytest -rs tests/slurm

lint: .venv/test.installed ## run the linters
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile rules
	$(BIN)/mypy
	$(BIN)/snakemake --lint

bench: test-slurm ## run all benchmarks, the whole crash matrix and 20 mutations (four hours; run nothing else)
	$(BIN)/python -m tests.benchmarks.designs --write
	$(BIN)/python -m tests.benchmarks.frames_budget
	$(BIN)/python -m tests.benchmarks.gpu_slot
	$(BIN)/python -m tests.benchmarks.many_cores
	$(BIN)/python -m tests.benchmarks.many_cores --cores 16 --validate 24
	$(BIN)/python -m tests.benchmarks.extract_frames
	$(BIN)/python -m tests.benchmarks.damage --write
	$(BIN)/python -m tests.benchmarks.duplicates --write
	$(BIN)/python -m tests.benchmarks.near_hashes --write
	$(BIN)/python -m tests.benchmarks.many_videos --write
	$(BIN)/python -m tests.benchmarks.crashes --write
	$(BIN)/python -m tests.benchmarks.mutations

docs: .venv/test.installed ## write config.yaml, the manual's keys, measured tables and pictures in docs/ from the schema and the tests
	$(BIN)/python config/document.py
	REELSIEVE_WRITE_DOCS=1 $(BIN)/python -m pytest tests/unit/media/test_media_cases.py tests/unit/media/test_colour.py \
	    tests/faults/test_download_faults.py \
	    tests/workflow/test_report.py tests/workflow/test_progress.py tests/workflow/test_rerun_matrix.py \
	    tests/unit/core/test_code.py tests/docs/test_public_reports.py \
	    tests/docs/test_commands.py

lock: ## resolve the newest versions that fit into requirements*.txt (envs/ follow by hand; a test compares)
	uv pip compile -q --upgrade --universal --python-version 3.11 --override requirements-override.txt --generate-hashes \
	    --custom-compile-command "make lock" requirements.in -o requirements.txt
	uv pip compile -q --upgrade --universal --python-version 3.11 --override requirements-override.txt --generate-hashes \
	    --custom-compile-command "make lock" -c requirements.txt requirements-dev.in -o requirements-dev.txt

clean: ## remove the environment and the demo run
	rm -rf .venv demo

# The lock is complete, and pip's own resolver would add what requirements-override.txt leaves out.
.venv/%.installed: .venv/bin/python requirements.txt requirements-dev.txt
	@echo "Installing pinned packages into .venv (a few GB with PyTorch; some minutes the first time)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	    -r $(if $(filter test,$*),requirements-dev.txt,requirements.txt)
	touch $@

.venv/bin/python:
	@$(CHECK_PYTHON)
	$(PYTHON) -m venv .venv || { echo "no venv: install Python's venv (Debian: apt install python3-venv)"; exit 1; }

# A run folder like any other; files keep their dates, so that a second run has nothing to do.
demo/laid.out: $(DEMO_FILES)
	mkdir -p demo
	cp -Rp config/demo/config config/demo/clips config/demo/detector.pt demo/
	touch $@
