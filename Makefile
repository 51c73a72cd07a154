# Everything a person or CI runs. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip --disable-pip-version-check --quiet
DEMO := demo
# A recogniser that knows the demo's few sentences and nothing else: tests/data/README.md
DEMO_MODEL := tests/data/tiny-whisper-zh-synth
# Compiled sources; tables, tests, fuzzers and Python files need no rebuilding.
CORE := $(shell find csrc -not -path 'csrc/tests/*' -not -path 'csrc/fuzz/*' \( -name '*.cpp' -o -name '*.cu' -o -name '*.h' -o -name '*.cmake' -o -name CMakeLists.txt \)) src/emomedia/audio/_pcm.pyx

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
	@$(PIP) install --no-build-isolation --editable '.[test,dev,quality]'
	@touch $@

.PHONY: build
build: system $(VENV)/.built ## make the environment and build the package in place

.PHONY: demo
demo: build ## simulate a session and run the main job on it
	@$(VENV)/bin/emomedia simulate $(DEMO)/session --seconds 14 --if-missing
	@$(VENV)/bin/emomedia run $(DEMO)/session/session.toml --out $(DEMO)/out --asr-model $(DEMO_MODEL) --language zh

.PHONY: test
test: build ## run all tests: native and Python
	@$(MAKE) --no-print-directory test-native
	@$(PYTHON) -m pytest -q -m 'not alone' --numprocesses auto --dist worksteal
	@$(PYTHON) -m pytest -q -m alone

# DALI takes 0.7 GB of disk, so `make test` does without it and skips what needs it.
DALI_PACKAGES = $(shell $(PYTHON) -c 'import tomllib; print(*map(repr, tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["dali"]))')

.PHONY: test-dali
test-dali: build ## install NVIDIA DALI and run the tests of the training loader with it
	@$(PIP) install $(DALI_PACKAGES)
	@EMOMEDIA_REQUIRE_DALI=1 $(PYTHON) -m pytest -q tests/dali

RAY_PACKAGES = $(shell $(PYTHON) -c 'import tomllib; print(*map(repr, tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["ray"]))')

.PHONY: test-ray test-page
test-ray: build ## install Ray and run the tests of a batch on a cluster of several nodes
	@$(PIP) install $(RAY_PACKAGES)
	@$(PYTHON) -m pytest -q tests/batch/test_ray.py

test-page: build ## install Chromium and run the tests of the report in it
	@docker/install-system.sh page || true
	@$(PYTHON) -m pytest -q tests/report

CMAKE := $(VENV)/bin/cmake
CTEST := $(VENV)/bin/ctest
# Without the flags in which ninja reads of a job server that make opens to makes alone.
BUILD := MAKEFLAGS= $(CMAKE) --build
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

# The native tests and benchmarks are built where the package's core was: none of its objects is compiled twice.
# Whoever configured it last may have been pip, with tools of its own that are gone.
CORE_BUILD = build/core-$(shell $(PYTHON) -c 'import sys; print(sys.implementation.cache_tag)')
CORE_CONFIGURE = $(CMAKE) -S csrc -B $(CORE_BUILD) -G Ninja -DCMAKE_MAKE_PROGRAM=$(CURDIR)/$(VENV)/bin/ninja \
	-Dpybind11_DIR=$(shell $(PYTHON) -m pybind11 --cmakedir)

.PHONY: test-native
test-native: build ## run the core's own tests, without Python
	@$(CORE_CONFIGURE) -DEMOMEDIA_TESTS=ON -DEMOMEDIA_FUZZ=ON >/dev/null
	@$(BUILD) $(CORE_BUILD) -- --quiet
	@$(CTEST) --test-dir $(CORE_BUILD) --output-on-failure

# Where there is Clang, one build is the fuzzers and the tests under AddressSanitizer; elsewhere entries replay alone.
CLANG = $(shell command -v clang++ 2>/dev/null)
ADDRESS_BUILD = build/$(if $(CLANG),fuzz/native,sanitize-address)
SANITIZED = -G Ninja -DEMOMEDIA_TESTS=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DCMAKE_CXX_FLAGS_RELWITHDEBINFO='-O1 -g1 -DNDEBUG'

.PHONY: clang build-address sanitize sanitize-address sanitize-thread
clang:
	@docker/install-system.sh fuzz || true

build-address: build clang
	@$(CMAKE) -S csrc -B $(ADDRESS_BUILD) $(SANITIZED) -DEMOMEDIA_SANITIZE=address,undefined -DEMOMEDIA_FUZZ=ON \
		$(if $(CLANG),-DCMAKE_CXX_COMPILER=clang++ -DCMAKE_COMPILE_WARNING_AS_ERROR=ON) >/dev/null
	@$(BUILD) $(ADDRESS_BUILD) -- --quiet

sanitize: sanitize-address sanitize-thread ## run the core's tests under the address, undefined-behaviour and thread sanitizers

sanitize-address: build-address
	@$(CTEST) --test-dir $(ADDRESS_BUILD) --output-on-failure

sanitize-thread: build
	@$(CMAKE) -S csrc -B build/$@ $(SANITIZED) -DEMOMEDIA_SANITIZE=thread >/dev/null
	@$(BUILD) build/$@ -- --quiet
	@$(CTEST) --test-dir build/$@ --output-on-failure

# FUZZ_SECONDS is for the native entries together and again for the Python ones, or for FUZZ_ENTRY alone.
FUZZ_SECONDS := 60
FUZZ_ENTRY :=
FUZZ_PACKAGES = $(shell $(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["fuzz"])')

.PHONY: fuzz
fuzz: build-address ## fuzz the core and the readers of descriptions: FUZZ_SECONDS=60, FUZZ_ENTRY=one of them
	@$(PIP) install '$(FUZZ_PACKAGES)' || true
	@cd tests && ../$(PYTHON) -m fuzz.run --seconds $(FUZZ_SECONDS) $(if $(FUZZ_ENTRY),--entry $(FUZZ_ENTRY))

# Of the core's lines, those that build/fuzz/corpus reaches; `make fuzz` first.
.PHONY: fuzz-coverage
fuzz-coverage: build ## show which lines of the core the corpora reach
	@$(CMAKE) -S csrc -B build/coverage -G Ninja -DEMOMEDIA_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++ \
		-DCMAKE_CXX_FLAGS="-fprofile-instr-generate -fcoverage-mapping" >/dev/null
	@$(BUILD) build/coverage -- --quiet
	@for entry in media compose spool; do \
		LLVM_PROFILE_FILE=build/coverage/$$entry.profraw build/coverage/fuzz/fuzz_$$entry -runs=0 -rss_limit_mb=0 \
			build/fuzz/corpus/$$entry build/fuzz/seeds/$$entry 2>/dev/null; done
	@llvm-profdata merge -o build/coverage/all.profdata build/coverage/*.profraw
	@llvm-cov report -instr-profile build/coverage/all.profdata -show-region-summary=false -show-branch-summary=false \
		-object build/coverage/fuzz/fuzz_media -object build/coverage/fuzz/fuzz_spool build/coverage/fuzz/fuzz_compose csrc

# What the benchmarks measure natively; python -m benchmarks.kernels measures kernels and peers alone.
.PHONY: bench-native
bench-native: build
	@docker/install-system.sh bench
	@$(CORE_CONFIGURE) -DEMOMEDIA_BENCH=ON >/dev/null
	@$(BUILD) $(CORE_BUILD) --target emomedia_bench emomedia_count -- --quiet

BENCH_PACKAGES = $(shell $(PYTHON) -c 'import tomllib; print(*map(repr, tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"]))')
BENCH = $(PYTHON) -m pytest -q --benchmark-quiet benchmarks
BENCH_OPTIONS :=
CHECK_OPTIONS :=

.PHONY: bench bench-smoke bench-check
bench: bench-native ## run all benchmarks, or what an interruption left of them: BENCH_OPTIONS="--rounds 3 --long"
	@$(PIP) install $(BENCH_PACKAGES)
	@$(BENCH) --benchmark-json=build/bench/pytest-benchmark.json $(BENCH_OPTIONS)

bench-smoke: bench-native ## run the benchmarks once, on small pictures, to verify that they work
	@rm -rf build/bench/smoke
	@$(BENCH) --smoke

bench-check: bench-native ## compare with benchmarks/baseline.json, fail if worse: CHECK_OPTIONS="--counts --update"
	@$(PYTHON) -m benchmarks.check $(CHECK_OPTIONS)

# docs/gpu.md: what to carry to a GPU machine, and what to run there, where nothing else is built before.
.PHONY: gpu-bundle gpu-check
gpu-bundle: build ## pack what a bare GPU machine lacks into build/gpu-bundle
	@docker/gpu-bundle.sh $(PYTHON) build/gpu-bundle

gpu-check: ## build, test and measure on a GPU machine with the bundle: BUNDLE=build/gpu-bundle OUT=folder
	@BUNDLE=$(BUNDLE) OUT=$(OUT) docker/gpu-check.sh

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
clean: ## remove the build and the demo, keep the environment
	rm -rf build $(DEMO) $(VENV)/.built src/emomedia/*.so src/emomedia/audio/*.so src/emomedia/audio/_pcm.c
