# make            set up .venv and run the default configuration to figures, tables and claims
# make figures    redraw the published results, without training
# make test       set up .venv and run the checks and all tests
PYTHON ?= python3
VENV := .venv
PEERS := benchmarks/peers/.venv
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
PIP := $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: results figures setup setup-dev smoke paper report site lint test bench bench-large bench-cluster coverage lock clean

results: setup
	$(RUN) snakemake --cores all

setup: $(VENV)/.setup

$(VENV)/.setup: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "initbias needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

setup-dev: $(VENV)/.setup-dev

$(VENV)/.setup-dev: $(VENV)/.setup
	$(PIP) --editable '.[dev,paper,site,slurm,storage]'
	touch $@

smoke: setup
	$(RUN) snakemake --cores all --configfile config/smoke.yaml

$(VENV)/.setup-paper: $(VENV)/.setup
	$(PIP) --editable '.[paper]'
	touch $@

# Figures, tables and claims of the published results, in results/paper, without training.
figures: setup
	$(RUN) snakemake --cores all --configfile results/paper/configuration.json --forcerun estimate --config results=results/paper device=cpu

# Results of the default configuration as a document, results/laptop/document/initbias.pdf.
paper: $(VENV)/.setup-paper
	$(RUN) snakemake --cores all all paper

report: results
	$(RUN) snakemake --report results/laptop/report.html

# Of the results as they are; opens without a server.
site: $(VENV)/.setup-site
	$(RUN) initbias site --output site

$(VENV)/.setup-site: $(VENV)/.setup
	$(PIP) --editable '.[site]'
	touch $@

lint: setup-dev
	$(RUN) ruff check src tests benchmarks
	$(RUN) ruff format --check src tests benchmarks
	$(RUN) mypy
	$(RUN) snakefmt --check Snakefile workflow
	$(RUN) snakemake --lint

# Rounding of another processor: products without its own instructions, loops without AVX-512.
ELSEWHERE := MKL_CBWR=COMPATIBLE ATEN_CPU_CAPABILITY=default NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=+sse2

test: lint
	$(RUN) pytest -n auto --dist loadscope
	$(RUN) $(ELSEWHERE) pytest -n auto --dist loadscope tests/networks tests/kernels

# Prints tables; docs/benchmarks.md tells what they were. Each peer has an environment of its own.
bench: setup $(PEERS)/jax/.setup $(PEERS)/neural_tangents/.setup
	$(RUN) python benchmarks/descent.py --jax-python $(PEERS)/jax/bin/python
	$(RUN) python benchmarks/kernels.py --peer-python $(PEERS)/neural_tangents/bin/python

bench-large: setup
	$(RUN) python benchmarks/large_flow.py

bench-cluster: setup-dev
	$(RUN) python benchmarks/cluster.py

$(PEERS)/%/.setup: benchmarks/peers/%.txt
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	touch $@

# How often the intervals of fitted exponents hold the true one; takes about a quarter of an hour.
coverage: setup
	$(RUN) python -m initbias.statistics.coverage > docs/coverage.md.new
	mv docs/coverage.md.new docs/coverage.md

# Exact versions of everything, from the ranges in pyproject.toml. Needs uv.
lock:
	uv lock
	echo "# Locked by: make lock" > constraints.txt
	uv export --frozen --all-extras --no-hashes --no-emit-project --no-annotate --no-header \
		--format requirements-txt >> constraints.txt
	rm uv.lock

# Keeps the results, and in .snakemake what is known of them.
clean:
	rm -rf $(VENV) $(PEERS) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
