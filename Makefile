# The two commands of the README, and the gate that CI uses too.
PYTHON ?= python3
UV := .venv/bin/uv

.PHONY: rehearse hosts bench clean-rehearsal test test-long check fast lint lock venv
rehearse: venv  ## the whole job on this machine; CONTEXT=262144 for the guide's own context
	@.venv/bin/beachhead rehearse $(if $(CONTEXT),--context $(CONTEXT))

test: venv lint  ## everything: gate, unit tests, end-to-end tests on real vLLM, Docker, nginx, Prefect and SSH
	.venv/bin/python -m pytest -q -m "not e2e" -n 4
	.venv/bin/python -m pytest -q -m "e2e and not long" -n 3

test-long: venv  ## the end-to-end tests that start further engines of their own: some 25 minutes more
	.venv/bin/python -m pytest -q -m long

check: venv lint  ## the gate without the end-to-end tests
	.venv/bin/python -m pytest -q -m "not e2e" -n 4

lint: venv
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

hosts: venv  ## a fleet of N test hosts in containers; down again: .venv/bin/python -m tests.hosts down
	@.venv/bin/python -m tests.hosts up $(or $(N),4)

bench: venv  ## the memory model beside its peers, and how fast a plan is
	.venv/bin/python bench/memory_model.py --markdown docs/reference/memory-model-scores.md
	.venv/bin/python bench/plan_speed.py

clean-rehearsal:  ## stop and remove everything that a rehearsal made, but its evidence
	@[ ! -x .venv/bin/beachhead ] || .venv/bin/beachhead rehearse --down
	rm -rf .rehearsal

venv: .venv/ready
.venv/ready: requirements/dev.lock requirements/uv.lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || \
	  { echo "error: Python 3.11, 3.12 or 3.13 is needed; name one with make PYTHON=/path/to/python3.12"; exit 2; }
	@echo "setting up .venv from requirements/dev.lock"
	@$(PYTHON) -m venv --clear .venv
	@.venv/bin/python -m pip install -q --disable-pip-version-check -r requirements/uv.lock.txt
	@$(UV) pip install -q --python .venv/bin/python --compile-bytecode --no-deps --require-hashes -r requirements/dev.lock
	@$(UV) pip install -q --python .venv/bin/python --no-deps -e .
	@.venv/bin/python -m compileall -q flows assumptions tasks serving inventories rehearsal
	@touch $@

lock: venv  ## resolve both lock files anew
	requirements/relock.sh $(UV)
