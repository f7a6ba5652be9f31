# Everything is installed in .venv, from the hash-locked requirements; nothing else on the machine changes.
# A second call installs nothing: the files .venv/.runtime and .venv/.development remember.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
export UV_PYTHON_DOWNLOADS := never

# install PYTHON ARGUMENTS...: what `pip install` does. uv is many times faster; where uv cannot be had, or
# cannot reach an index that pip is configured for, pip does the same from the same hashes.
define functions
install() {
	local python=$$1; shift
	if [ ! -x $(VENV)/bin/uv ]; then
		awk '/^uv==/ {found=1} found; found && !/\\$$/ {exit}' requirements-dev.lock > $(VENV)/uv.txt
		$(VENV)/bin/python -m pip install --quiet --no-deps --require-hashes -r $(VENV)/uv.txt || true
	fi
	if [ -x $(VENV)/bin/uv ]; then
		$(VENV)/bin/uv pip install --quiet --python "$$python" "$$@" && return
		echo "uv could not; trying pip" >&2
	fi
	$(VENV)/bin/python -m pip --python "$$python" install --quiet "$$@"
}
endef

.PHONY: help up test check bench screenshots lock wheel

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.runtime  ## run the whole product on this machine, with a simulated visitor (UP_ARGS: for kiosk up)
	@exec $(VENV)/bin/kiosk up $(UP_ARGS)

WORKERS ?= 2
test: $(VENV)/.development  ## run the tests (WORKERS=2; PYTEST_ARGS: for pytest)
	@exec $(VENV)/bin/pytest -n $(WORKERS) $(PYTEST_ARGS)

check: $(VENV)/.development  ## lint, formatting, types
	@$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

BENCH_ARGS ?= pipeline
bench: $(VENV)/.runtime  ## measure (BENCH_ARGS=pipeline: for kiosk bench)
	@exec $(VENV)/bin/kiosk bench $(BENCH_ARGS)

screenshots: $(VENV)/.development  ## pictures of every page, on invented people, in ./screenshots (SCREENS_ARGS: for python -m tests.screens)
	@exec $(VENV)/bin/python -m tests.screens $(SCREENS_ARGS)

compile = $(VENV)/bin/uv pip compile pyproject.toml --quiet --generate-hashes --no-annotate \
	--python-version 3.11 --python-platform x86_64-manylinux_2_28 --no-emit-package torch \
	--custom-compile-command 'make lock' $(LOCK_ARGS)
lock: $(VENV)/.development  ## remake both locks from pyproject.toml (LOCK_ARGS=--upgrade for newer versions)
	@$(compile) --extra build --output-file requirements.lock
	$(compile) --extra build --extra dev --extra train --constraint requirements.lock --output-file requirements-dev.lock

wheel: $(VENV)/.development  ## build the wheel, and try it in a clean environment outside this tree
	@$(functions)
	rm -rf dist
	$(VENV)/bin/hatchling build --target wheel
	clean=$$(mktemp -d)
	trap 'rm -rf "$$clean"' EXIT
	$(VENV)/bin/python -m venv --without-pip "$$clean"
	install "$$clean/bin/python" --no-deps --require-hashes -r requirements.lock
	install "$$clean/bin/python" --no-deps dist/*.whl
	# the lock holds all that pyproject.toml asks for; what MediaPipe asks for is overridden there
	{ $(VENV)/bin/python -m pip --python "$$clean/bin/python" check || true; } | awk '!/^(mediapipe |No broken)/ {print; bad=1} END {exit bad}'
	cd "$$clean"
	bin/kiosk version
	bin/kiosk --help > /dev/null

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@$(functions)
	install $(VENV)/bin/python --no-deps --require-hashes -r requirements.lock
	install $(VENV)/bin/python --no-deps --no-build-isolation -e .
	touch $@

# The development lock holds the runtime's, version for version.
$(VENV)/.development: requirements.lock requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@$(functions)
	install $(VENV)/bin/python --no-deps --require-hashes -r requirements-dev.lock
	# not in the lock: the build for CPUs, which PyTorch's own index has; another index may have it too
	$(VENV)/bin/python -m pip install --quiet --no-deps --retries 1 --timeout 10 \
		--extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0 || echo "no torch: its tests will not run" >&2
	install $(VENV)/bin/python --no-deps --no-build-isolation -e .
	touch $(VENV)/.runtime $@

# A pyenv shim may exist that runs nothing, a distribution's Python may lack half of venv: only trying tells.
$(VENV)/bin/python:
	@shopt -s nullglob
	candidates=$$(type -ap python3.11 python3.12 python3 python || true)
	for python in $(or $(PYTHON),$$candidates ~/.pyenv/versions/3.1[12].*/bin/python); do
		if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2> /dev/null &&
			"$$python" -m venv --clear $(VENV) > /dev/null 2>&1 && $@ -m pip --version > /dev/null 2>&1; then
			exit
		fi
	done
	rm -rf $(VENV)
	echo "health-kiosk needs Python 3.11 or 3.12 with venv, as from 'apt-get install python3-venv' or 'pyenv install 3.12'" >&2
	exit 1
