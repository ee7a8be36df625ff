# `make run` starts the gateway, `make test` proves it. Needs make and python3 (3.11 or newer, with venv and pip).

PYTHON ?= python3
VENVS  := .cache/venvs
TOOLS  := $(VENVS)/tools
NODE   := .cache/clients
RELEASE := $(VENVS)/release
MANIFESTS := $(VENVS)/manifests
SITE   := $(VENVS)/docs
FUZZ   := $(VENVS)/fuzz
UV     := TOOLS=$(TOOLS) scripts/uv
BIN    := .venv/bin
# `make lock UPGRADE=--upgrade` takes newer versions; without it the locks keep what they have.
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
           --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)
OPTILLM := 0.4.0 0.3.12
# Test processes side by side, each file in one of them; one more than the cores, since many tests wait. With two
# more the real half took longer (21 minutes instead of 17, seen once each). JOBS=0 is none, for a debugger.
JOBS ?= 3
# xdist would begin with the files of the most tests; tests/conftest.py puts the slowest ones first.
# What is compiled once is not compiled again by each of the hundreds of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE
RUN    := pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder
PYTEST := $(BIN)/$(RUN)
# Real processes that `make coverage` measures: the start, names, limits, the last line.
MEASURED_REAL := $(patsubst %,tests/real/test_%.py,up naming limits transport wrong_settings)

# `make test-compat VERSION=1.110.2`: tests/compat.py says which tests run there; SELECTION=short is CI's part of them.
# The lock's own version is run from requirements/dev.txt, every other from a lock of its own.
LOCKED    := $(shell sed -n 's/^litellm==\([^ ]*\).*/\1/p' requirements/run.txt)
VERSION   ?= $(LOCKED)
SELECTION ?= whole
COMPAT    := $(VENVS)/litellm-$(VERSION)
# Compiled beside pyproject.toml; what a release pins and not every index has is in compat-<version>.override.
COMPATS   := 1.106.0 1.110.2
# `make test-newest`: an installation without a lock has the newest of everything that pyproject.toml allows. Without
# the newest tested version's overrides, an index that lacks one of LiteLLM's pins would give an older LiteLLM.
NEWEST_TESTS := $(patsubst %,tests/%.py,real/test_wheel real/test_up real/test_shipped demo/test_optillm)
# `make test-python PY=3.12`: the lock on another Python, where the machine has it.
PY        ?= 3.12
# `make soak SECONDS=180` and `make fuzz INPUTS=100000` are shorter; `make fuzz KEEP=1` writes tests/fuzz/corpus.
SECONDS   := 1800
INPUTS    := 1000000
PY_TESTS  := tests/test_requirements.py tests/config tests/showroom tests/optillm tests/adapter/test_naming.py

.PHONY: gateway-bench help docs env run test test-fast test-real test-compat compat-venv stock-table quota-table test-newest test-python python-venv venvs test-long soak fuzz coverage lint fmt lock bench trace release clean venv venv-mlx clients $(OPTILLM:%=venv-optillm-%)

help:
	@echo "make run        the gateway on http://127.0.0.1:4000 (PORT=4010, WORKERS=2, DEMO=0, DEMO_PORT=5100)"
	@echo "make test       every test; make test-fast and make test-real for its two halves"
	@echo "make test-compat VERSION=$(LOCKED) (or $(COMPATS)): what another LiteLLM may break; SELECTION=short for a part"
	@echo "make test-newest  the wheel and the demo on the newest of every dependency"
	@echo "make test-python PY=3.12 (or 3.13): some tests on another Python"
	@echo "make test-long  everything in full: hours"
	@echo "make soak       half an hour of load on a gateway and on stock LiteLLM: memory, descriptors, series, rows, counts"
	@echo "make fuzz       a million inputs for the parsers, guided by coverage (Linux); KEEP=1 keeps what they found"
	@echo "make stock-table  which requests of published advisories stock LiteLLM serves, by version"
	@echo "make quota-table  what quotas and stock LiteLLM's rpd do with the same load"
	@echo "make coverage   which lines and branches the fast tests and some real ones do not run; fails below a bound"
	@echo "make lint       ruff and mypy; make fmt formats"
	@echo "make bench      what the hooks cost, beside stock LiteLLM in the same run (needs wrk)"
	@echo "make gateway-bench  an entry for ai-gateway-bench, with the plugin and without (needs wrk)"
	@echo "make trace      checks that no request costs more opcodes of ours than recorded"
	@echo "make docs       the pages as a site in dist/docs; LINKS=1 checks links to the web instead (needs a network)"
	@echo "make env        config/env.local with fresh keys, for compose and Kubernetes"
	@echo "make release    wheel, sdist, site-packages archive, SBOM and checksums in dist/"
	@echo "make lock       writes requirements/*.txt anew; make clean removes what make installed"

run: .venv/.run
	@$(BIN)/litellm-homelab up

test: test-fast test-real

# With MEASURED=1 the fast half and MEASURED_REAL run under coverage, which takes twice as long; every process
# that a test starts leaves its own data, and the bound in pyproject.toml is checked at the end.
COVERED = $(if $(MEASURED),$(BIN)/coverage run -m $(RUN),$(PYTEST))

test-fast: .venv/.dev
	$(if $(MEASURED),$(BIN)/coverage erase)
	$(COVERED) -m "not real"

test-real: .venv/.dev venv-mlx clients $(RELEASE)/.stamp $(MANIFESTS)/.stamp $(SITE)/.stamp $(OPTILLM:%=venv-optillm-%)
	$(if $(MEASURED),$(COVERED) $(MEASURED_REAL))
	$(PYTEST) -m real $(if $(MEASURED),$(MEASURED_REAL:%=--ignore=%))
	$(if $(MEASURED),$(BIN)/coverage combine --quiet && $(BIN)/coverage report)

# The package is installed anew each time: another clone may share the venv. Real servers run as in `make test-real`.
test-compat: $(COMPAT)/.stamp clients $(OPTILLM:%=venv-optillm-%)
	$(PACKAGE) $(COMPAT)
	$(COMPAT)/bin/$(RUN) --junit-xml=$(COMPAT)/$(SELECTION).xml $$($(PYTHON) -m tests.compat $(SELECTION))
	$(if $(RECORD),$(COMPAT)/bin/python -m tests.compat record $(COMPAT)/$(SELECTION).xml "$(RECORD)")

# What stock LiteLLM serves of the advisories' cases, in each tested version: written into docs/configuration.md.
stock-table: .venv/.dev
	for version in $(COMPATS); do $(MAKE) --no-print-directory VERSION=$$version compat-venv || exit 1; done
	$(BIN)/python -m tests.corpus.stock_table $(BIN)/python $(COMPATS:%=$(VENVS)/litellm-%/bin/python)

# What quotas and stock LiteLLM's `rpd` do with the same load, on the newest tested version: into docs/observed.md.
quota-table: .venv/.dev
	$(MAKE) --no-print-directory VERSION=$(lastword $(COMPATS)) compat-venv
	$(VENVS)/litellm-$(lastword $(COMPATS))/bin/python -m tests.quotas.stock_table

compat-venv: $(COMPAT)/.stamp
	$(PACKAGE) $(COMPAT)

test-newest: | $(TOOLS)/.stamp
	$(UV) venv --quiet --clear --python $(TOOLS)/bin/python $(VENVS)/newest
	$(UV) pip install --quiet --upgrade --build-constraints requirements/tools.txt --editable '.[redis,testing]' \
	  --group dev $(patsubst %,--override %,$(wildcard requirements/compat-$(lastword $(COMPATS)).override)) \
	  --python $(VENVS)/newest
	$(VENVS)/newest/bin/$(RUN) $(NEWEST_TESTS)

python-venv test-python: PYTHON_FOUND := $(shell scripts/python $(PY))
python-venv: | $(TOOLS)/.stamp
	$(if $(PYTHON_FOUND),$(MAKE) --no-print-directory $(VENVS)/python-$(PY)/.stamp INTERPRETER=$(PYTHON_FOUND),@echo "Python $(PY) is not on this machine: not tested")
	$(if $(PYTHON_FOUND),$(PACKAGE) $(VENVS)/python-$(PY))

test-python: python-venv
	$(if $(PYTHON_FOUND),$(VENVS)/python-$(PY)/bin/$(RUN) $(PY_TESTS))

# What `.ci/nightly` runs. One after the other: real processes would take the cores from each other.
test-long:
	$(MAKE) lint
	$(MAKE) trace
	$(MAKE) test
	for version in $(COMPATS); do $(MAKE) test-compat VERSION=$$version SELECTION=whole || exit 1; done
	$(MAKE) test-newest
	$(MAKE) soak
	$(MAKE) fuzz
	$(MAKE) coverage

soak: .venv/.dev
	$(BIN)/python -m tests.soak.command --seconds $(SECONDS)

# The package is installed anew each time: another clone may share the venv.
fuzz: $(FUZZ)/.stamp
	$(PACKAGE) $(FUZZ)
	$(FUZZ)/bin/python -m tests.fuzz.guided --inputs $(INPUTS) $(if $(KEEP),--keep)

coverage: MEASURED := 1
coverage: test-fast
	$(COVERED) $(MEASURED_REAL)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: .venv/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: .venv/.dev
	$(BIN)/python -m bench

gateway-bench: .venv/.dev
	$(BIN)/python -m bench entry

trace: .venv/.dev
	$(BIN)/python -m bench trace --check

# The same commit gives the same bytes: docs/release.md.
release: $(TOOLS)/.stamp $(RELEASE)/.stamp
	$(TOOLS)/bin/python scripts/release.py --sbom $(RELEASE)/bin/cyclonedx-py dist

fmt: .venv/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

venv: .venv/.dev

# Everything that CI's tests need, so that it can be installed while mypy is busy.
venvs: .venv/.dev venv-mlx clients $(RELEASE)/.stamp $(MANIFESTS)/.stamp $(SITE)/.stamp $(OPTILLM:%=venv-optillm-%)
	for version in $(COMPATS); do $(MAKE) --no-print-directory compat-venv VERSION=$$version || exit 1; done
	for version in 3.12 3.13; do $(MAKE) --no-print-directory python-venv PY=$$version || exit 1; done

# Strict: a link that leads nowhere fails it. LINKS=1 asks the web for those that lead there.
docs: $(SITE)/.stamp
	$(SITE)/bin/python scripts/site.py $(if $(LINKS),--links )dist/docs$(if $(LINKS),-links)

# Fresh keys in config/env.local, as the first `make run` makes them; one that is there stays.
env:
	@$(PYTHON) -c 'from pathlib import Path as P; from litellm_homelab.cli.environment import prepare; \
	  print(*prepare(P("config/env.example"), P("config/env.local")).notes, sep="\n")'

# Each venv has a stamp that is newer than its lock: what is installed is not looked at again.
INSTALL = $(UV) pip install --quiet --no-deps --require-hashes $(patsubst %,--requirement %,$(filter %.txt,$^)) --python
PACKAGE = $(UV) pip install --quiet --no-deps --build-constraints requirements/tools.txt --editable . --python

$(TOOLS)/.stamp: requirements/tools.txt
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("make needs Python 3.11 or newer, $(PYTHON) is %s: try make PYTHON=python3.11" % sys.version.split()[0])'
	$(PYTHON) -m venv --clear $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --require-hashes --requirement $<
	@touch $@

# --compile-bytecode: on all cores now instead of one by one in LiteLLM's first start.
.venv/.run: requirements/run.txt pyproject.toml | $(TOOLS)/.stamp
	@echo "installing into .venv: one to three minutes the first time"
	test -x $(BIN)/python || $(UV) venv --quiet --python $(TOOLS)/bin/python .venv
	$(INSTALL) .venv --compile-bytecode
	$(PACKAGE) .venv
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	$(INSTALL) .venv
	@touch $@

# LiteLLM in other versions, and the lock on other Pythons: each with what the tests need.
INTERPRETER = $(TOOLS)/bin/python

$(COMPAT)/.stamp: $(if $(filter $(LOCKED),$(VERSION)),requirements/dev.txt,requirements/compat-$(VERSION).txt)
$(VENVS)/python-$(PY)/.stamp: requirements/dev.txt
$(COMPAT)/.stamp $(VENVS)/python-$(PY)/.stamp: | $(TOOLS)/.stamp
	$(UV) venv --quiet --clear --python $(INTERPRETER) $(@D)
	$(INSTALL) $(@D) --compile-bytecode
	@touch $@

# mlx_lm.server and OptiLLM each in a venv of their own: their dependencies are not the gateway's.
venv-mlx: $(VENVS)/mlx/.stamp
$(OPTILLM:%=venv-optillm-%): venv-%: $(VENVS)/%/.stamp
# The clients of tests/real, each in its newest version: Python's in a venv, Node's in a folder (npm ci).
clients: $(VENVS)/clients/.stamp $(NODE)/.stamp

$(VENVS)/mlx/.stamp $(VENVS)/clients/.stamp $(RELEASE)/.stamp $(MANIFESTS)/.stamp $(SITE)/.stamp: $(VENVS)/%/.stamp: requirements/%.txt | $(TOOLS)/.stamp
	$(UV) venv --quiet --clear --python $(TOOLS)/bin/python $(@D)
	$(INSTALL) $(@D)
	@touch $@

# The fuzzer runs our parsers in its own process: it needs what they need.
$(FUZZ)/.stamp: requirements/dev.txt requirements/fuzz.txt | $(TOOLS)/.stamp
	$(UV) venv --quiet --clear --python $(TOOLS)/bin/python $(@D)
	$(INSTALL) $(@D)
	@touch $@

$(VENVS)/optillm-%/.stamp: requirements/optillm.txt requirements/optillm-%.txt | $(TOOLS)/.stamp
	$(UV) venv --quiet --clear --python $(TOOLS)/bin/python $(@D)
	$(INSTALL) $(@D)
	@touch $@

$(NODE)/.stamp: tests/clients/node/package.json tests/clients/node/package-lock.json
	mkdir -p $(NODE)
	cp $^ $(NODE)
	cd $(NODE) && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

lock: | $(TOOLS)/.stamp
	$(COMPILE) requirements/tools.in --output-file requirements/tools.txt
	$(COMPILE) pyproject.toml --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --all-extras --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	for version in $(COMPATS); do \
	  $(COMPILE) pyproject.toml --all-extras --group dev requirements/compat-$$version.in \
	    $$(ls requirements/compat-$$version.override 2>/dev/null | sed 's/^/--override /') \
	    --output-file requirements/compat-$$version.txt || exit 1; \
	done
	$(COMPILE) requirements/mlx.in --output-file requirements/mlx.txt
	$(COMPILE) requirements/clients.in --output-file requirements/clients.txt
	$(COMPILE) requirements/docs.in --output-file requirements/docs.txt
	$(COMPILE) requirements/manifests.in --output-file requirements/manifests.txt
	$(COMPILE) requirements/release.in --constraint requirements/tools.txt --output-file requirements/release.txt
	$(COMPILE) requirements/fuzz.in --output-file requirements/fuzz.txt
	$(COMPILE) requirements/optillm.in --output-file requirements/optillm.txt
	for version in $(OPTILLM); do \
	  echo "optillm==$$version" | $(COMPILE) - --no-deps --output-file requirements/optillm-$$version.txt || exit 1; \
	done
	cd tests/clients/node && $(if $(UPGRADE),rm -f package-lock.json &&) npm install --package-lock-only \
	  --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund --loglevel=error

clean:
	rm -rf .venv .cache
