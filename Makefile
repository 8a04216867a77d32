# serve  starts the service (host and port: make serve ARGS="--port 9000")
# test   runs all tests, on every core (some of them: make test ARGS="tests/mappings -k potassium")
# check  lints, checks types, import contracts and data files
# bench  measures speed (in a minute: make bench ARGS=--quick)
# soak   attacks and wears the service for an hour (make soak ARGS="--minutes 5 --only load"); fuzz: hostile calls only
# mutants  changes the assessment in thousands of small ways and lists those that no test notices (some modules: ARGS=limits)
# audit  asks for known vulnerabilities of what is locked; sbom: lists it (CycloneDX, dist/sbom.cdx.json)
# lock   writes the lock files after a change of dependencies (newest versions: make lock ARGS=--upgrade)
#
# Each verb does its own set-up in .venv and needs only Python 3.11 or newer, git and make; once set up, they
# work offline. PYTHON chooses the interpreter: make test PYTHON=/usr/bin/python3.11

PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '$(SUITS)' 2>/dev/null && { echo $$p; break; }; done)
SUITS := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
ARGS ?=

PACKAGES := terminology mappings cds_hooks
VENV := .venv
E2E := $(VENV)/end-to-end
E2E_FILES := tests/protocol/end_to_end
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip --disable-pip-version-check --require-virtualenv

# Another active environment must not lend its modules to ours.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve test coverage check bench soak fuzz mutants audit sbom lock system-deps clean

help:
	@sed -n 's/^# \{0,1\}//p; /^$$/q' Makefile

serve: $(VENV)/installed
	$(RUN) cds_hooks.cli serve $(ARGS)

# A file stays with one worker, which starts a file's servers once. The files come in the order of their names.
ALL := --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder
test: $(VENV)/installed-dev $(E2E)/installed system-deps
	$(RUN) pytest $(or $(ARGS),$(ALL))

coverage: $(VENV)/installed-dev $(E2E)/installed system-deps
	$(RUN) pytest --cov $(or $(ARGS),$(ALL))

check: $(VENV)/installed-dev
	$(RUN) ruff check
	$(RUN) ruff format --check
	$(RUN) mypy
	$(VENV)/bin/python $(VENV)/bin/lint-imports
	$(RUN) yamllint --strict .

bench: $(VENV)/installed-dev
	$(RUN) benchmarks $(ARGS)

soak: $(VENV)/installed-dev system-deps
	$(RUN) benchmarks.soak $(ARGS)

fuzz: $(VENV)/installed-dev
	$(RUN) benchmarks.soak --only fuzz $(ARGS)

mutants: $(VENV)/installed-dev
	$(RUN) benchmarks.mutants $(ARGS)

audit: $(VENV)/installed-dev
	$(RUN) benchmarks.audit

# Of what runs in production. The same lock gives the same list.
sbom: $(VENV)/installed-dev
	@mkdir -p dist
	$(RUN) cyclonedx_py requirements requirements.lock --pyproject pyproject.toml --output-reproducible \
	  --output-format JSON --output-file dist/sbom.cdx.json

# Pins are kept unless ARGS says --upgrade. The second lock follows the first, so that both name the same versions.
COMPILE := $(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock'
lock: $(VENV)/installed-dev $(E2E)/installed
	$(COMPILE) pyproject.toml --extra build --extra postgres --output-file requirements.lock $(ARGS)
	$(COMPILE) pyproject.toml --extra dev --constraint requirements.lock --output-file requirements-dev.lock $(ARGS)
	$(COMPILE) $(E2E_FILES)/requirements.in --output-file $(E2E_FILES)/requirements.lock $(ARGS)
	$(NPM) install --prefix $(E2E_FILES) --package-lock-only --omit-lockfile-registry-resolved

# System packages that the tests need: PostgreSQL, a browser with fonts, and Java for Spark. Without them, and without
# the right to install them, their tests are skipped; in CI a missing browser or Java is a failure.
# Debian would start a database server of its own with the package: ours are started by the tests alone.
PG_CTL := $(or $(shell command -v pg_ctl),$(lastword $(wildcard /usr/lib/postgresql/*/bin/pg_ctl)))
CHROMIUM := $(shell command -v chromium || command -v chromium-browser)
JAVA := $(or $(JAVA_HOME),$(shell command -v java))
MISSING := $(if $(PG_CTL),,postgresql) $(if $(CHROMIUM),,chromium fonts-dejavu-core fonts-inter) \
	$(if $(JAVA),,default-jre-headless)
system-deps:
ifneq ($(strip $(MISSING)),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo 'Installing for the tests: $(strip $(MISSING))'; \
	  mkdir -p /etc/postgresql-common; \
	  [ -e /etc/postgresql-common/createcluster.conf ] || \
	    echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf; \
	  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
	    $(MISSING) >/dev/null; } || echo 'They could not be installed: tests that need them will not run'; \
	else \
	  echo 'Not installed (Debian: apt-get install $(strip $(MISSING))): tests that need them are skipped'; \
	fi >&2
endif

clean:
	rm -rf $(VENV) dist mutants .coverage .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# Exactly the locked versions with exactly the locked hashes, then this tree, editable, without a download.
$(VENV)/installed: requirements.lock pyproject.toml cds_hooks/__init__.py | $(VENV)/created
	@echo 'Installing requirements.lock into $(VENV)'
	@$(PIP) install -qq --require-hashes --requirement requirements.lock
	@$(PIP) install -qq --no-deps --no-build-isolation --no-index --editable .
	@$(RUN) compileall -q $(PACKAGES)
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	@echo 'Installing requirements-dev.lock into $(VENV)'
	@$(PIP) install -qq --require-hashes --requirement requirements-dev.lock
	@touch $@

# A FHIR server and a client that is not ours, for the end-to-end tests.
NPM := PATH="$(CURDIR)/$(E2E)/bin:$$PATH" $(E2E)/bin/npm --no-audit --no-fund --no-update-notifier --ignore-scripts
$(E2E)/installed: $(addprefix $(E2E_FILES)/,requirements.lock package.json package-lock.json) | $(VENV)/created
	@echo 'Installing $(E2E_FILES)/requirements.lock and package-lock.json into $(E2E)'
	@$(RUN) venv --clear $(E2E)
	@$(E2E)/bin/python -m pip --disable-pip-version-check install -qq --no-compile --require-hashes \
	  --requirement $(E2E_FILES)/requirements.lock
	@cp $(E2E_FILES)/package.json $(E2E_FILES)/package-lock.json $(E2E)
	@$(NPM) ci --silent --prefix $(E2E)
	@touch $@

$(VENV)/created:
	@$(or $(PYTHON),false) -c '$(SUITS)' 2>/dev/null || { \
	  echo 'No Python 3.11 or newer with its venv module was found$(if $(PYTHON), under the name "$(PYTHON)").'; \
	  echo 'Install it (Debian: apt-get install python3.11 python3.11-venv)'; \
	  echo 'or name another: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11'; exit 1; } >&2
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@
