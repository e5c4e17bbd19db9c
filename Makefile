# Every target brings what it needs: on a fresh Debian machine with a Swift toolchain, `make test` is enough.

RELEASE := .build/release
PYTHON := .build/venvs/main/bin/python
SWIFT_FILES := Package.swift Sources Examples Tests Benchmarks
export KERNELRELAY_EMBEDDED_RELAY := $(CURDIR)/$(RELEASE)/embedded-relay

.PHONY: help deps build test test-swift test-python check format demo bench bench-quick docs clean

help:
	@echo 'make demo         run a real notebook cell through a relay'
	@echo 'make build        build the library and the programs'
	@echo 'make test         all tests, with real kernels and clients'
	@echo 'make test-swift, make test-python: the two halves of it (some 4 and 1 minutes)'
	@echo 'make check        formatting, warnings, rooms, documentation'
	@echo 'make bench        ratios against a direct connection and against peers (under five minutes)'
	@echo 'make bench-quick  the same in about 45 seconds, noisier'
	@echo 'make format       lay the sources out as `make check` wants them'
	@echo 'make clean        remove what was built'

deps:
	@Tools/deps

build: deps
	swift build -c release

test: test-swift test-python

test-swift: build python
	swift test -c release

test-python: build python
	$(PYTHON) -m pytest Tests/Python -q

# The script does nothing where the environments are as the requirement files want them.
.PHONY: python
python: deps
	python3 Tests/Python/venvs.py

check: build
	swift format lint --strict --recursive $(SWIFT_FILES)
	python3 Tools/check-rooms
	Tools/docs

docs: build
	Tools/docs

format:
	swift format --in-place --recursive $(SWIFT_FILES)

demo: build python
	$(PYTHON) Examples/demo.py

bench: build python
	Tools/deps bench
	Benchmarks/run.sh

bench-quick: build python
	Tools/deps bench
	Benchmarks/run.sh --quick

clean:
	rm -rf .build bench.json
