# SPDX-License-Identifier: Apache-2.0
# All development commands. Needs Python 3.11 or newer and make; everything else goes into .venv/ and
# node_modules/. Works with GNU make 3.81 (macOS) and a plain /bin/sh.

PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Set in many container images, it would have each of hundreds of processes compile the same modules again.
export PYTHONDONTWRITEBYTECODE :=
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := 1

# make up PORT=4567
PORT_OPTION := $(if $(PORT),--port $(PORT))
# make up EXTERNAL=yes
EXTERNAL_OPTION := $(if $(filter yes,$(EXTERNAL)),--external)

INSTALL_LOG := .local/install.log
# $(call failed,what): one line for a person, the rest in the log.
failed = { echo "error: could not install $(1) (is the network reachable?); $(INSTALL_LOG) says why" >&2; exit 1; }

.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory
.PHONY: help install venv node_modules up down status demo clean test test-fast chromium fuzz crash-matrix lint format openapi lock bench-record bench-parse bench-anchor bench-verify bench-bucket bench-cold-start synth deploy

help: ## list what can be made
	@echo 'usage: make TARGET'
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  %-17s %s\n", $$1, $$2 }'

## -- tools ------------------------------------------------------------------------------------

install: venv node_modules ## install everything that the other targets need
	@:

venv: .venv/.installed ## the Python environment, from requirements.txt
	@:

.venv/.installed: requirements.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null 2>&1 || \
		{ echo "error: no $(PYTHON) found; install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "error: $$($(PYTHON) --version) is too old; Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	@mkdir -p .local
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv >$(INSTALL_LOG) 2>&1 || \
		{ rm -rf .venv; echo "error: $(PYTHON) cannot make a virtual environment; install its venv module (Debian, Ubuntu: python3-venv)" >&2; exit 1; }
	@echo 'Installing Python packages into .venv/ (a minute or two) …'
	@$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r requirements.txt >$(INSTALL_LOG) 2>&1 || $(call failed,the Python packages)
	@$(BIN)/python -m pip install --quiet --no-deps -e . >$(INSTALL_LOG) 2>&1 || $(call failed,this package)
	@# pip compiles on one core. Most of the CDK is never imported; what is gets compiled below. A package may come
	@# with templates that are no Python: they do not count.
	@$(BIN)/python -m compileall -q -j 0 -x /aws_cdk/ .venv/lib >/dev/null 2>&1 || :
	@touch $@

node_modules: node_modules/.installed ## the CDK command line, from package-lock.json
	@:

node_modules/.installed: .venv/.installed package.json package-lock.json
	@mkdir -p .local
	@echo 'Installing the CDK command line into node_modules/ …'
	@$(BIN)/python -c 'import infra.app' >/dev/null 2>&1 & \
	$(BIN)/npm ci --no-audit --no-fund --no-update-notifier --loglevel=error >$(INSTALL_LOG) 2>&1 || $(call failed,the CDK command line); \
	wait
	@touch $@

## -- the local ledger -------------------------------------------------------------------------

up: install ## start a local ledger, or bring it up to date (PORT=4566, EXTERNAL=yes for stand-in anchoring providers)
	@$(BIN)/python -m local up $(PORT_OPTION) $(EXTERNAL_OPTION)

demo: install ## record an agent run, prove it, verify it, and get caught tampering (PORT=4566)
	@$(BIN)/python -m local demo $(PORT_OPTION)

# Stopping needs the standard library only, and works without the environment that started it.
down: ## stop the local ledger and forget what it held
	@if [ -f .venv/.installed ]; then $(BIN)/python -m local down; \
	elif [ -d .local ]; then $(PYTHON) -c 'from local.ledger import down; down()'; \
	else echo 'No local ledger was running.'; fi

status: ## say whether the local ledger runs
	@if [ -f .venv/.installed ]; then $(BIN)/python -m local status; else echo 'Nothing is installed yet; make up does.'; exit 1; fi

clean: ## stop the local ledger and remove everything that was installed or built
	@if [ -d .local ]; then $(MAKE) down; fi
	@rm -rf .local .venv node_modules cdk.out dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

## -- checks -----------------------------------------------------------------------------------

test: install chromium ## every test; starts and stops a ledger of its own
	@$(BIN)/python -m pytest -q -n 2 -p tests.e2e.one_emulator --durations=15

test-fast: venv chromium ## every test that needs no emulator
	@$(BIN)/python -m pytest -q -n 2 -p tests.e2e.one_emulator -m 'not e2e'

# make test CHROMIUM=/path/to/chrome
chromium: ## see that there is a Chromium to test the evidence page in; on Debian as root, install it
	@for name in $(or $(CHROMIUM),chromium chromium-browser google-chrome google-chrome-stable); do \
		! command -v "$$name" >/dev/null 2>&1 || exit 0; done; \
	mkdir -p .local; \
	if [ -n "$(CHROMIUM)" ]; then echo 'error: there is no $(CHROMIUM)' >&2; exit 1; fi; \
	if ! command -v apt-get >/dev/null 2>&1; then as=none; elif [ "$$(id -u)" = 0 ]; then as=; \
	elif sudo -n true 2>/dev/null; then as='sudo -n'; else as=none; fi; \
	if [ "$$as" = none ]; then \
		echo 'error: the evidence page is tested in Chromium, and there is none here; install it (Debian: apt-get install chromium), or say where it is: make test CHROMIUM=/path/to/chrome' >&2; exit 1; fi; \
	echo 'Installing Chromium, to test the evidence page in …'; \
	{ $$as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq --no-install-recommends chromium fonts-liberation; } \
		>.local/chromium.log 2>&1 || { echo 'error: could not install chromium; .local/chromium.log says why' >&2; exit 1; }

lint: venv ## style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict layers/ lambdas/ infra/ local/ app.py

openapi: venv ## write docs/openapi.json from the models
	@$(BIN)/python -m indelible.entry.openapi >docs/openapi.json.new && mv docs/openapi.json.new docs/openapi.json

crash-matrix: venv ## two processes switched at every pair of calls; make test takes some of these pairs
	@INDELIBLE_CRASH_MATRIX=whole $(BIN)/python -m pytest -q -n 2 tests/faults

fuzz: install ## thousands of generated requests against a deployed ledger of their own, held to docs/openapi.json
	@INDELIBLE_FUZZ_CASES=$(or $(CASES),3000) $(BIN)/python -m pytest -q -s tests/e2e/test_contract.py

bench-parse: venv ## how long the worst JSON at the body limits takes to read or to refuse
	@$(BIN)/python -m benchmarks.parse

format: venv ## let ruff format and fix what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench-record: up ## record a large agent run through the API; prints the time and the AWS calls
	@$(BIN)/python -m benchmarks.record

bench-anchor: up ## anchor 1,000 records on trees of up to a million; prints records a second and the AWS calls
	@$(BIN)/python -m benchmarks.anchor

bench-verify: venv ## verify a bundle of 100,000 records offline, beside two other ledgers and plain SHA-256
	@$(BIN)/python -m benchmarks.verify

bench-bucket: venv ## read a bucket of 10,000 records by every way there is; prints processor time and objects a second
	@$(BIN)/python -m benchmarks.bucket

bench-cold-start: venv ## how long each function takes to import and to build, with and without bytecode
	@$(BIN)/python -m benchmarks.cold_start

## -- AWS --------------------------------------------------------------------------------------

synth: install ## synthesize the stacks for AWS into cdk.out/, with all rule packs
	@node_modules/.bin/cdk synth --quiet --no-notices

deploy: install ## deploy to the AWS account of your environment (asks before it changes permissions)
	@node_modules/.bin/cdk deploy --all

## -- locks ------------------------------------------------------------------------------------

lock: venv ## compile requirements.txt and the layers' requirements again after changing pyproject.toml
	@$(BIN)/uv --quiet pip compile --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' pyproject.toml --all-extras --group dev -o requirements.txt
	@$(BIN)/uv --quiet pip compile --python-version 3.14 --generate-hashes --no-annotate --universal \
		--custom-compile-command 'make lock' --group pyproject.toml:layer -c requirements.txt \
		-o layers/ledger/requirements.txt
	@$(BIN)/uv --quiet pip compile --python-version 3.14 --generate-hashes --no-annotate --universal \
		--custom-compile-command 'make lock' --group pyproject.toml:pdf -c requirements.txt \
		-o layers/pdf/requirements.txt
	@$(BIN)/npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund --loglevel=error >/dev/null
