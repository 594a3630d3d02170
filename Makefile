# GNU make 3.81 or newer. Everything is installed into .venv by the pip that is configured on this machine.

VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints/tested.txt
# Extras to install beside the base, e.g. EXTRAS=torch.
EXTRAS :=
STAMPS := pyproject.toml $(CONSTRAINTS)
# The first Python that runs and is 3.11 or newer; running it matters, a name on PATH may lead nowhere.
PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$name; break; fi; done)

.DEFAULT_GOAL := help
.PHONY: help extras setup run test test-light check format coverage mutation bench docs pictures cast looks torture licences \
	sbom release clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done

setup: $(VENV)/.ready-base extras ## make .venv, fetch the embedded data, build the knowledge file
	@$(BIN)/hexcore setup && touch $(VENV)/.set-up || [ $$? -eq 3 ]

run: $(VENV)/.ready-base ## set up once, then open the app
	@[ -f $(VENV)/.set-up ] || { $(BIN)/hexcore setup && touch $(VENV)/.set-up || [ $$? -eq 3 ]; }
	@exec $(BIN)/hexcore-tui

extras: $(VENV)/.ready-base
	@[ -z "$(EXTRAS)" ] || $(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[$(EXTRAS)]"

test: $(VENV)/.ready-torch ## run the whole test suite, the extra torch installed
	@$(BIN)/python -m pytest

test-light: $(VENV)/.ready-dev ## run the suite without real models, torch, terminals and many processes
	@echo "left out, because they are slow: tests of real models, of torch, of terminals and of many processes;" \
		"make test runs them" >&2
	@$(BIN)/python -m pytest -m "not slow"

torture: $(VENV)/.ready-torture ## kill, fill, spoil and soak everything for 25 minutes; say what was lost
	@HEXCORE_TORTURE=1 HEXCORE_FUZZ_KEYS=4000 $(BIN)/python -m pytest -q tests/torture \
		tests/unit/tui/test_random_keys.py

coverage: $(VENV)/.ready-dev ## say which lines and branches of the cores the light suite runs; at least 90 % of lines
	@$(BIN)/python -m scripts.coverage_check

mutation: $(VENV)/.ready-dev ## change parser, citations and budget a little at a time; the tests must notice
	@$(BIN)/python -m scripts.mutation_check

check: $(VENV)/.ready-dev ## run every linter and type check
	@$(BIN)/python scripts/lint.py

format: $(VENV)/.ready-dev ## format the code
	@$(BIN)/python scripts/lint.py --fix format ruff

bench: $(VENV)/.ready-dev ## measure every number promised, as ratios inside one run
	@$(BIN)/python -m benchmarks.run

docs: $(VENV)/.ready-dev ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

pictures: $(VENV)/.ready-dev ## draw the pictures of the README anew
	@$(BIN)/python scripts/screenshots.py

cast: $(VENV)/.ready-dev ## record the demo in a terminal anew
	@$(BIN)/python scripts/cast.py

licences: $(VENV)/.ready-dev ## write the page of all dependencies' licences anew
	@$(BIN)/python -m scripts.licences

sbom: $(VENV)/.ready-dev ## write what .venv holds as CycloneDX JSON into dist/
	@$(BIN)/python -m scripts.sbom

release: $(VENV)/.ready-dev ## build wheel and sdist, check them, use the wheel as a stranger would
	@$(BIN)/python -m scripts.release

looks: $(VENV)/.ready-dev ## keep how the screens look now, for the tests to compare with
	@HEXCORE_RENEW_LOOKS=1 $(BIN)/python -m pytest -q tests/unit/tui/test_looks.py

clean: ## remove .venv and everything that was built; your data stays
	rm -rf $(VENV) build dist site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/bin/python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "Hexcore needs Python 3.11 or newer, and none was found." >&2; \
		echo "Debian or Ubuntu: sudo apt install python3 python3-venv    macOS: brew install python" >&2; exit 1; fi
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv. Debian or Ubuntu: sudo apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready-base: $(VENV)/bin/python $(STAMPS)
	@echo "installing Hexcore into $(VENV)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready-base
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[dev]"
	@touch $@

# Not everywhere is there a wheel or a network; what does not need the extra is tested all the same.
$(VENV)/.ready-torch: $(VENV)/.ready-dev
	@echo "installing the extra torch into $(VENV) (about 1.2 GB)" >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) -e ".[torch]" \
		&& touch $@ || echo "the extra torch could not be installed here; its tests are skipped" >&2

# A fuzzer guided by coverage; it has wheels for Linux alone.
$(VENV)/.ready-torture: $(VENV)/.ready-dev
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c $(CONSTRAINTS) atheris \
		&& touch $@ || echo "atheris could not be installed here; parsers are fuzzed by hypothesis alone" >&2
