# make app, make test: each does all the set-up it needs, from Python 3.11 or newer, make and git alone.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet --constraint constraints.txt

.PHONY: app test lint fix bench load clean
app: .venv/app
	$(PY) -m optviz app

# One thread of linear algebra a process: the processes are as many as the cores.
test: .venv/test .venv/chromium
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(PY) -m pytest -n auto --dist worksteal

lint: .venv/test
	$(PY) -m ruff check .
	$(PY) -m mypy

fix: .venv/test
	$(PY) -m ruff check --fix .

bench: .venv/bench .venv/chromium
	$(PY) benchmarks/descend.py
	$(PY) benchmarks/batch.py
	$(PY) benchmarks/train.py
	$(PY) benchmarks/tune.py
	$(PY) benchmarks/render.py
	$(PY) benchmarks/stage.py
	$(PY) benchmarks/network.py
	$(PY) benchmarks/visit.py
	$(PY) benchmarks/grid.py
	$(PY) benchmarks/probe.py
	$(PY) benchmarks/heavy.py
	$(PY) benchmarks/sweep.py
	$(PY) benchmarks/landscape.py

load: .venv/test
	$(PY) benchmarks/load.py

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

# A half-made environment (an interrupted first try) is made anew. Some systems ship venv without pip's installer: then the
# system's own pip puts pip into it.
.venv/made:
	@test -n "$(PYTHON)" || { echo "optviz needs Python 3.11 or newer; install it or run: make PYTHON=/path/to/python" >&2; exit 1; }
	rm -rf .venv
	$(PYTHON) -m venv .venv || { rm -rf .venv && $(PYTHON) -m venv --without-pip .venv && $(PYTHON) -m pip --python $(PY) install --quiet pip; }
	$(PY) -m pip --version >/dev/null
	@touch $@

.venv/app: .venv/made pyproject.toml constraints.txt
	$(PIP) --editable .
	@touch $@

.venv/test: .venv/made pyproject.toml constraints.txt
	$(PIP) --editable '.[torch,video,cluster,test]'
	@touch $@ .venv/app

.venv/bench: .venv/test
	$(PIP) --editable '.[bench]'
	@touch $@

.venv/chromium: .venv/test tests/chromium.py
	$(PY) tests/chromium.py
	@touch $@
