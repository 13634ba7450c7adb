# Everything stays inside the checkout: tools in .venv, data in .airflow, .sandbox and .demo, results in build.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
UV := .venv/bin/uv
# Exists once the tools and libraries are installed, at the versions that were tested together.
INSTALLED := .venv/.installed
LOCK_INPUTS := pyproject.toml include/sandbox/pyproject.toml

.PHONY: audit bench celery chaos clean compat demo dist down env help image install lint lock relock sandbox test up

help: ## show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(INSTALLED) ## install everything into .venv (other targets do this when needed)

.venv/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "This project needs Python 3.11 or newer, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "creating .venv"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep '^uv==' constraints.txt | sed 's/ *;.*//')"

$(INSTALLED): requirements.lock $(LOCK_INPUTS) | .venv/bin/uv
	@echo "installing into .venv"
	@# Compile once: Airflow starts a process per task, and some environments do not let Python cache compiled files.
	@$(UV) pip install --quiet --compile-bytecode --require-hashes --requirements requirements.lock
	@$(UV) pip install --quiet --no-deps --editable . --editable include/sandbox
	@.venv/bin/python -m compileall -q dags plugins include
	@touch $@

demo: $(INSTALLED) ## ingest three days of sample media from S3 into Kaltura, and show the result
	@.venv/bin/python include/local demo

up: $(INSTALLED) ## start Airflow, a Kaltura and an S3 server on this machine, and keep them running
	@.venv/bin/python include/local up $(UP)

down: $(INSTALLED) ## stop what `make up` started
	@.venv/bin/python include/local down

sandbox: $(INSTALLED) ## run only the Kaltura and S3 sandbox, until Ctrl-C
	@.venv/bin/python -m kaltura_sandbox serve $(SANDBOX)

test: $(INSTALLED) ## run all tests
	@# Tests often wait for servers, so there is one process more than there are cores.
	@.venv/bin/python -m pytest --numprocesses=$$(.venv/bin/python -c 'import os; print(min(4, os.cpu_count() + 1))') --dist=loadfile --no-loadscope-reorder --durations=25 $(TESTS)

chaos: $(INSTALLED) ## kill processes at random during ingests: make chaos N=50 RUNS=8 SEED=1
	@N=$(or $(N),20) RUNS=$(or $(RUNS),4) SEED=$(SEED) .venv/bin/python -m pytest tests/chaos -s $(TESTS)

celery: $(INSTALLED) ## run docker-compose.yml as processes, and kill a worker, the broker and the database
	@.venv/bin/python -m pytest tests/integration/celery -s $(TESTS)

lint: $(INSTALLED) ## check the code with ruff, mypy --strict and import-linter
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo

bench: $(INSTALLED) ## measure, and compare with other tools: make bench [PART=upload]
	@.venv/bin/python tests/bench/run.py $(if $(PART),--part $(PART))

env: ## write .env with random secrets, for docker-compose.yml
	@$(PYTHON) deploy/write_env.py .env

dist: $(INSTALLED) ## build a release, and check it in a clean environment: dist/
	@rm -rf dist build/again build/clean
	@export SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct 2>/dev/null || echo 1704067200)}; \
		for folder in dist build/again; do $(UV) build --quiet --python .venv/bin/python --out-dir $$folder || exit 1; done
	@for file in dist/*.whl dist/*.tar.gz; do cmp $$file build/again/$${file#dist/} || exit 1; done
	@echo "two builds are equal"
	@.venv/bin/twine check --strict dist/*.whl dist/*.tar.gz
	@$(UV) venv --quiet --python .venv/bin/python build/clean
	@$(UV) pip install --quiet --python build/clean/bin/python --require-hashes --requirement deploy/image/airflow.lock
	@$(UV) pip install --quiet --python build/clean/bin/python --no-deps dist/*.whl
	@build/clean/bin/python tests/release/installed.py
	@.venv/bin/cyclonedx-py environment --output-reproducible --pyproject pyproject.toml --output-file dist/sbom.cdx.json build/clean
	@$(MAKE) --no-print-directory audit
	@ls -l dist

image: $(INSTALLED) ## do what the Dockerfile does in virtual environments, without containers
	@.venv/bin/python tests/release/image.py

audit: $(INSTALLED) ## look up known vulnerabilities of all libraries, where the package index tells them
	@.venv/bin/python tests/release/audit.py

compat: $(INSTALLED) ## install and check the package with the oldest and the newest Airflow it supports
	@.venv/bin/python tests/release/compat.py

# constraints.txt has the versions of everything. A lock file has the hashes too: of everything, and of what each stage of
# the Dockerfile installs.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	--no-emit-find-links
HASHED := $(COMPILE) --constraints constraints.txt --generate-hashes

lock: | .venv/bin/uv ## update constraints.txt and the lock files, and test the new set
	@$(COMPILE) --all-extras --group dev --upgrade --output-file constraints.txt $(LOCK_INPUTS)
	@$(MAKE) --no-print-directory relock install
	@.venv/bin/python -m pytest -q tests/integration/test_imports.py

relock: | .venv/bin/uv
	@$(HASHED) --all-extras --group dev --output-file requirements.lock $(LOCK_INPUTS)
	@$(HASHED) --all-extras --output-file deploy/image/airflow.lock pyproject.toml
	@$(HASHED) --output-file deploy/image/sandbox.lock include/sandbox/pyproject.toml
	@echo hatchling | $(HASHED) --output-file deploy/image/build.lock -

clean: ## remove everything that the targets created, except .venv
	@rm -rf .airflow .demo .sandbox build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
