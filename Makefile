# The commands of this repository; `make` alone lists the main ones. All of them run in .venv, which the first one makes:
# the packages of requirements.txt, each checked against its hash, and this checkout itself, editable.

PYTHON ?= python3
JOBS ?= 2
ASSIGNMENT ?=
ARGS ?=

BIN := .venv/bin
READY := .venv/.installed
NOTEBOOKS = $(wildcard source/*/*.ipynb)
WORKFLOWS = $(wildcard .github/workflows/*.yml)
PIPELINE = .gitlab-ci.yml

# The one place that says what is stripped from a source notebook: outputs, execution counts, what a front end leaves
# behind. What nbgrader and the cell tags say stays, and so do cell ids, which then change with their cell only.
STRIP = $(BIN)/nbstripout --keep-id --unix-newlines --extra-keys "metadata.language_info metadata.toc metadata.vscode cell.metadata.vscode cell.metadata.jupyter"
COMPILE = env -u UV_FIND_LINKS -u PIP_FIND_LINKS $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make pins"

define PREFLIGHT
import sys, importlib.util as spec
if not (3, 11) <= sys.version_info[:2] <= (3, 13): sys.exit("Python 3.11, 3.12 or 3.13 is needed and $(PYTHON) is %d.%d: name another with make PYTHON=/path/to/python3.12" % sys.version_info[:2])
if not (spec.find_spec("venv") and spec.find_spec("ensurepip")): sys.exit("$(PYTHON) cannot make virtual environments: install its venv package (on Debian and Ubuntu: apt install python3-venv) or name another with make PYTHON=/path/to/python3.12")
endef

TF_CPP_MIN_LOG_LEVEL ?= 3
export PREFLIGHT TF_CPP_MIN_LOG_LEVEL
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help install demo build grade bench test test-slow test-imdb test-gpu test-jax lint style types imports notebooks workflows fresh strip pins clean
.DELETE_ON_ERROR:

help:  ## print this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 18

$(READY): requirements.txt pyproject.toml data/pyproject.toml
	@$(PYTHON) -c "$$PREFLIGHT" && echo "Setting up .venv from requirements.txt (some minutes the first time)" && $(PYTHON) -m venv $(VENV_OPTIONS) .venv && $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements.txt && $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e . -e data && touch $@

.venv/.gpu: $(READY) requirements-gpu.txt
	@echo "Putting TensorFlow's CUDA build into .venv from requirements-gpu.txt (some gigabytes the first time)" && $(BIN)/python -m pip uninstall -qq --yes tensorflow tensorflow-cpu && $(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-gpu.txt && touch $@

.venv/.jax: $(READY)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-build-isolation -e ".[jax]" && touch $@

install: $(READY)  ## make .venv, as every other command does when it is missing or out of date

demo: $(READY)  ## grade a small class and open the doors: what this repository does, in one command
	$(BIN)/autograder demo $(ARGS)

build: $(READY)  ## source/ to release/ and solutions/, verified (ASSIGNMENT=… for one)
	$(BIN)/autograder build $(ASSIGNMENT) $(ARGS)

grade: $(READY)  ## grade submitted/ (ASSIGNMENT=03_self_attention, ARGS="--jobs 8")
	$(BIN)/autograder grade $(or $(ASSIGNMENT),$(error Say which assignment: make grade ASSIGNMENT=03_self_attention)) $(ARGS)

bench: $(READY)  ## side by side with stock nbgrader
	$(BIN)/python -m benchmarks $(ARGS)

test: $(READY)  ## the tests that every commit must pass
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not (slow or gpu or imdb)" $(ARGS)

test-slow: $(READY)  ## the long ones
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "slow and not (gpu or imdb)" $(ARGS)

test-imdb: $(READY)  ## those on the real reviews, which are downloaded once or lie where SEQUENCE_DATA_IMDB says
	$(BIN)/python -m pytest -m imdb $(ARGS)

test-gpu: .venv/.gpu  ## those that need a GPU: puts TensorFlow's CUDA build into .venv first
	$(BIN)/python -m pytest -m gpu $(ARGS)

test-jax: .venv/.jax  ## the proof of the checks once more, with Keras on JAX: puts JAX into .venv first
	KERAS_BACKEND=jax JAX_ENABLE_X64=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadgroup -m "not (slow or gpu or imdb)" tests/test_proof.py $(ARGS)

lint: style types imports notebooks workflows fresh  ## style, types, imports, clean source notebooks, workflows, fresh release

style: $(READY)
	$(BIN)/ruff check && $(BIN)/ruff format --check

types: $(READY)
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(READY)
	$(BIN)/lint-imports

notebooks: $(READY)
	$(if $(NOTEBOOKS),$(STRIP) --verify $(NOTEBOOKS))

workflows: $(READY)
	$(BIN)/check-jsonschema --builtin-schema vendor.gitlab-ci $(PIPELINE) && $(BIN)/check-jsonschema --builtin-schema vendor.github-workflows $(WORKFLOWS) && $(BIN)/zizmor --quiet --offline --persona auditor $(WORKFLOWS)

fresh: $(READY)
	$(BIN)/autograder build --check

strip: $(READY)  ## strip outputs from the source notebooks
	$(if $(NOTEBOOKS),$(STRIP) $(NOTEBOOKS))

pins: $(READY)  ## requirements*.txt anew from both pyproject.toml files (ARGS=--upgrade for the newest), students' from it
	$(COMPILE) --extra dev --extra cpu $(ARGS) --output-file requirements.txt pyproject.toml data/pyproject.toml
	$(COMPILE) --extra dev --extra gpu --constraint requirements.txt $(ARGS) --output-file requirements-gpu.txt pyproject.toml data/pyproject.toml
	$(COMPILE) --upgrade --constraint requirements.txt --output-file students/requirements.txt students/requirements.in

clean:  ## remove .venv, build folders and caches; what was graded or built stays
	rm -rf .venv build data/build *.egg-info data/*.egg-info .pytest_cache .ruff_cache .import_linter_cache .hypothesis
