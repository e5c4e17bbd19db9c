#!/bin/sh
# Builds the bench and its contestants in release mode, and runs it. Every argument goes to relay-bench; see --help.
# Prints the table and writes bench.json in the package's folder.
set -eu
cd "$(dirname "$0")/.."
# The library's product too, when it is there: without it the relay's column stays empty.
swift build -c release --product relay-bench >&2
swift build -c release --product bench-zmq-proxy >&2
swift build -c release --product embedded-relay >&2 || echo "embedded-relay did not build" >&2
bin=$(swift build -c release --show-bin-path)
python=python3
# The tests' environment first: its pyzmq is the one that Jupyter installs.
for candidate in .build/venvs/main/bin/python python3 /usr/bin/python3; do
    if "$candidate" -c 'import zmq' 2>/dev/null; then python=$candidate; break; fi
done
work=$(mktemp -d)
bench=
# The hops end with the bench (their input ends, or the parent-death signal); what is left to do here is its folder.
trap 'if [ -n "$bench" ]; then kill "$bench" 2>/dev/null || :; wait "$bench" 2>/dev/null || :; fi; rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
"$bin/relay-bench" --work "$work" --scripts Benchmarks --python "$python" "$@" &
bench=$!
status=0
wait "$bench" || status=$?
bench=
exit "$status"
