# Everything a person or CI runs. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
DEMO := demo
# Compiled sources; tables, tests and Python files need no rebuilding.
CORE := $(shell find csrc -name '*.cpp' -o -name '*.h' -o -name CMakeLists.txt) src/emomedia/audio/_pcm.pyx

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: system
system: ## install what the system lacks (compiler, FFmpeg's development files, espeak-ng)
	@docker/install-system.sh

$(VENV)/.environment: pyproject.toml
	@$(MAKE) --no-print-directory system
	@echo "making the environment in $(VENV)"
	@python3 -m venv $(VENV)
	@$(PIP) install --upgrade 'pip>=24'
	@$(PIP) install 'setuptools>=77' 'pybind11>=2.12,<4' 'cython>=3.0,<4' 'cmake>=3.22' 'ninja>=1.11'
	@touch $@

$(VENV)/.built: $(VENV)/.environment setup.py $(CORE)
	@echo "building"
	@$(PIP) install --no-build-isolation --editable '.[test,dev]'
	@touch $@

.PHONY: build
build: system $(VENV)/.built ## make the environment and build the package in place

.PHONY: demo
demo: build ## simulate a session and run the main job on it
	@$(VENV)/bin/emomedia simulate $(DEMO)/session --seconds 14 --if-missing
	@$(VENV)/bin/emomedia run $(DEMO)/session/session.toml --out $(DEMO)/out

.PHONY: test
test: build ## run all tests: native and Python
	@$(MAKE) --no-print-directory test-native
	@$(PYTHON) -m pytest -q

NATIVE = -G Ninja -DEMOMEDIA_TESTS=ON
CMAKE := $(VENV)/bin/cmake
CTEST := $(VENV)/bin/ctest
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: test-native
test-native: build ## run the core's own tests, without Python
	@$(CMAKE) -S csrc -B build/native $(NATIVE) >/dev/null
	@$(CMAKE) --build build/native -- --quiet
	@$(CTEST) --test-dir build/native --output-on-failure

.PHONY: sanitize
sanitize: build ## run the core's tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(CMAKE) -S csrc -B build/sanitize $(NATIVE) -DCMAKE_BUILD_TYPE=RelWithDebInfo -DEMOMEDIA_SANITIZE=address,undefined >/dev/null
	@$(CMAKE) --build build/sanitize -- --quiet
	@$(CTEST) --test-dir build/sanitize --output-on-failure

.PHONY: lint
lint: build ## check style and types
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy

.PHONY: format
format: build ## format the Python files
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

.PHONY: clean
clean: ## remove what was built and the demo, keep the environment
	rm -rf build $(DEMO) $(VENV)/.built src/emomedia/*.so src/emomedia/audio/*.so src/emomedia/audio/_pcm.c
