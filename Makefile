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
# Sessions and their clients have moments of their own; and the page's readers have seconds to read in.
OF_SESSIONS := ^(SessionTests[.]|KernelspecTests[.]DiscoveryLookTests)
OF_AN_ENGINE := ^EngineTests[.]
OF_THE_PAGE := ^PageTests[.]
BY_THEMSELVES := $(OF_SESSIONS)|$(OF_AN_ENGINE)|$(OF_THE_PAGE)

.PHONY: help deps build build-tests test test-all test-heavy test-swift test-python test-e2e check format demo demo-clean bench bench-quick bench-launch bench-routes bench-verdicts docs clean

help:
	@echo 'make demo         a notebook cell in a container; installs Docker where there is none'
	@echo 'make demo-clean   take away what the demo made'
	@echo 'make build        build the library and the programs'
	@echo 'make test         all tests, with real kernels and clients'
	@echo 'make test-swift, make test-python, make test-e2e: its three parts (some 4, 1 and 10 minutes)'
	@echo 'make test-all     these, and what takes long (make test-heavy)'
	@echo 'make check        formatting, warnings, rooms, documentation'
	@echo 'make bench        ratios against a direct connection and against peers (under five minutes)'
	@echo 'make bench-quick  the same in about 45 seconds, noisier'
	@echo 'make bench-launch how long a kernel takes to start, and two hundred of them (four minutes)'
	@echo 'make bench-routes what each way to a kernel costs (two minutes)'
	@echo 'make bench-verdicts how long until it shows what has become of a kernel (eight minutes)'
	@echo 'make format       lay the sources out as `make check` wants them'
	@echo 'make clean        remove what was built'

deps:
	@Tools/deps

build: deps
	swift build -c release

# The programs as well. Tests look into modules, which a build for use does not allow: whatever is tested is built like
# this, once, and not once more for use.
build-tests: deps
	swift build -c release --build-tests -Xswiftc -enable-testing

test: test-swift test-python test-e2e

test-swift: build-tests python
	swift test -c release --skip-build --skip '$(BY_THEMSELVES)'
	swift test -c release --skip-build --filter '$(OF_THE_PAGE)'
	swift test -c release --skip-build --filter '$(OF_SESSIONS)'
	Tools/engine run $(TEST_ENGINE) -- swift test -c release --skip-build --filter '$(OF_AN_ENGINE)'

test-python: build-tests python
	$(PYTHON) -m pytest Tests/Python -q

# Every container and every relayd of it is its own. Tools/engine stops what it started also when tests fail.
test-e2e: build-tests python
	Tools/deps browser agent compose
	Tools/engine run $(TEST_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel debian-r; exec $(PYTHON) -m pytest Tests/EndToEnd -q -m "not heavy"'

# Every client, kernel and version by every way, and what is large.
test-heavy: build-tests python
	Tools/deps browser agent podman compose
	Tools/engine run $(TEST_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel debian-r; exec $(PYTHON) -m pytest Tests/EndToEnd -q -m heavy'

test-all: test test-heavy

# The script does nothing where the environments are as the requirement files want them.
.PHONY: python
python: deps
	python3 Tests/Python/venvs.py

check: build-tests
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
	$(MAKE) --keep-going bench-launch bench-routes bench-verdicts

bench-quick: build python
	Tools/deps bench
	Benchmarks/run.sh --quick

bench-launch: build python
	Tools/engine run $(BENCH_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel; exec $(PYTHON) Benchmarks/launch.py'

bench-routes: build python
	Tools/engine run $(BENCH_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel; exec $(PYTHON) Benchmarks/routes.py'

bench-verdicts: build python
	Tools/engine run $(BENCH_ENGINE) -- sh -ec \
		'Tools/image debian-ipykernel; exec $(PYTHON) Benchmarks/verdicts.py'

clean: demo-clean
	rm -rf .build bench.json bench-launch.json bench-routes.json bench-verdicts.json
