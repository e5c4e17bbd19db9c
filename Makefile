# Every target brings what it needs: on a fresh Debian machine with a Swift toolchain, `make test` is enough.

RELEASE := .build/release
PYTHON := .build/venvs/main/bin/python
SWIFT_FILES := Package.swift Sources Examples Tests Benchmarks
export KERNELRELAY_EMBEDDED_RELAY := $(CURDIR)/$(RELEASE)/embedded-relay

# An engine that one of these started is stopped by the same, and one that was running is left alone.
TEST_ENGINE := --state $(CURDIR)/.build/engine-test
DEMO_ENGINE := --state $(CURDIR)/.build/engine-demo
BENCH_ENGINE := --state $(CURDIR)/.build/engine-bench

# Those that start programs by the dozen, by themselves: beside them the heavy tests of the relay miss their moments.
OF_AN_ENGINE := ^(SessionTests|EngineTests)[.]

.PHONY: help deps build test test-swift test-python test-e2e check format demo demo-clean bench bench-quick bench-launch docs clean

help:
	@echo 'make demo         a notebook cell in a container; installs Docker where there is none'
	@echo 'make demo-clean   take away what the demo made'
	@echo 'make build        build the library and the programs'
	@echo 'make test         all tests, with real kernels and clients'
	@echo 'make test-swift, make test-python, make test-e2e: its three parts (some 4, 1 and 10 minutes)'
	@echo 'make check        formatting, warnings, rooms, documentation'
	@echo 'make bench        ratios against a direct connection and against peers (under five minutes)'
	@echo 'make bench-quick  the same in about 45 seconds, noisier'
	@echo 'make bench-launch how long a kernel takes to start, and a hundred of them (three minutes)'
	@echo 'make format       lay the sources out as `make check` wants them'
	@echo 'make clean        remove what was built'

deps:
	@Tools/deps

build: deps
	swift build -c release

test: test-swift test-python test-e2e

test-swift: build python
	swift test -c release --skip '$(OF_AN_ENGINE)'
	Tools/engine run $(TEST_ENGINE) -- swift test -c release --skip-build --filter '$(OF_AN_ENGINE)'

test-python: build python
	$(PYTHON) -m pytest Tests/Python -q

# Every container and every relayd of it is its own. Tools/engine stops what it started also when tests fail.
test-e2e: build python
	Tools/deps browser
	Tools/engine run $(TEST_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel debian-r; exec $(PYTHON) -m pytest Tests/EndToEnd -q'

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

# The engine stays, for the notebook that the demo leaves to be gone on with.
demo: build python
	Tools/engine start $(DEMO_ENGINE)
	$(PYTHON) Examples/demo.py

demo-clean:
	[ ! -x $(PYTHON) ] || $(PYTHON) Examples/demo.py clean
	Tools/engine stop $(DEMO_ENGINE)

bench: build python
	Tools/deps bench
	Benchmarks/run.sh
	$(MAKE) bench-launch

bench-quick: build python
	Tools/deps bench
	Benchmarks/run.sh --quick

bench-launch: build python
	Tools/engine run $(BENCH_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel; exec $(PYTHON) Benchmarks/launch.py'

clean: demo-clean
	rm -rf .build bench.json bench-launch.json
