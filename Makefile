# Everything starts from nothing but Python 3.11-3.13 and make: each target makes .venv when it is not there yet.
# On Windows: .\make.ps1 <target>
.POSIX:
.PHONY: demo test test-all lint format bench-exchange bench-read bench-mail bench-dedup bench-spark bench-calls bench-calendar mutation lock clean set-up set-up-dev set-up-bench help

BIN = .venv/bin
PYTEST_FLAGS ?=

help:
	@echo "make demo            a stand of 1C, the nightly exchange, a summary, then the UI at http://127.0.0.1:3000"
	@echo "make demo ONCE=1     the same, ends after the summary"
	@echo "make test            lint, types, floors and the tests; says what it skipped and why"
	@echo "make test-all        the slow tests too"
	@echo "make lint            lint, types and floors only"
	@echo "make format          let ruff lay out the code"
	@echo "make bench-exchange  the exchange against the yardstick, on both databases"
	@echo "make bench-calendar  ten thousand meetings of a CalDAV server, first and later: rate, CPU, memory"
	@echo "make bench-read      a million orders' keys and whole orders over OData: time, memory, sessions"
	@echo "make bench-mail      100,000 letters on Dovecot against imapclient fetching the same; asks for dovecot-imapd"
	@echo "make bench-dedup     finding duplicates: quality, time and memory beside Splink, then one changed record"
	@echo "make bench-spark     the same duplicates on DuckDB and on Spark's local mode, side by side; asks for Java 17"
	@echo "make bench-calls     a million rows of a telephone exchange's calls: rate, CPU, memory, a second run"
	@echo "make mutation        every small change of the engine must make a test fail; asks for mutmut"
	@echo "make lock            resolve the dependencies anew and write all lock files"
	@echo "make clean           remove .venv, caches and the demo's home"

demo: set-up
	@$(BIN)/obmen demo $(if $(ONCE),--once)

test: lint
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_FLAGS)

test-all: lint
	$(BIN)/python -m pytest $(PYTEST_FLAGS)

lint: set-up-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: set-up-dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench-exchange: set-up-dev
	$(BIN)/python -m bench.exchange

bench-calendar: set-up-dev
	$(BIN)/python -m bench.calendars

bench-read: set-up-dev
	$(BIN)/python -m bench.read

bench-mail: set-up-dev
	$(BIN)/python -m bench.mail

bench-dedup: set-up-dev set-up-bench
	.venv-bench/bin/python -W ignore -m bench.dedup
	$(BIN)/python -m bench.dedup_live

bench-spark: set-up-dev
	$(BIN)/python -m bench.dedup_spark

bench-calls: set-up-dev
	$(BIN)/python -m bench.calls

mutation: set-up-dev
	$(BIN)/python -m bench.mutation

# uv resolves for every supported Python and system at once; neither an index address nor a path goes into the files.
LOCK = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet $(LOCK_FLAGS)
lock: set-up
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.9
	$(LOCK) --group build pyproject.toml -o requirements.lock
	$(LOCK) --group build --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock
	$(LOCK) --group bench -o requirements-bench.lock

clean:
	rm -rf .venv .venv-bench .obmen build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first interpreter that really is one of ours: a pyenv shim on PATH may stand for nothing.
PYTHONS = $(if $(PYTHON),"$(PYTHON)",.venv/bin/python python3 python3.13 python3.12 python3.11 python)
set-up set-up-dev set-up-bench:
	@for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	    exec "$$python" deploy/set_up.py $(or $(patsubst set-up-%,%,$(filter set-up-%,$@)),runtime); \
	  fi; \
	done; \
	echo "Obmen needs Python 3.11, 3.12 or 3.13; none of these is one: $(PYTHONS)." >&2; \
	echo "Install one (Debian, Ubuntu: apt install python3 python3-venv) or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.12" >&2; \
	exit 1
