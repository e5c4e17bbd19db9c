// A relay in a program of one's own: `embedded-relay [--until-eof] [--unwatched | --explained] FRONT.json BACK.json ...`
//
// FRONT is the connection file that the notebook uses; BACK is the one that the kernel was started with.
// It runs until SIGTERM or SIGINT comes, with --until-eof also until its standard input ends, and then prints what each
// relay did.

import Dispatch
import FoundationEssentials
import Glibc
import KernelRelay

func complain(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

// Blocked before any thread starts, so that only `sigwait` below sees them.
var signals = sigset_t()
sigaddset(&signals, SIGTERM)
sigaddset(&signals, SIGINT)
pthread_sigmask(SIG_BLOCK, &signals, nil)

var files = Array(CommandLine.arguments.dropFirst())
// Asked for, because whoever starts a program may close its standard input and mean nothing by it: Jupyter does.
let endsWithInput = files.first == "--until-eof"
if endsWithInput { files.removeFirst() }
var options = RelayOptions()
// Both are there to be measured: a relay that notices nothing, and one that can speak for its kernel as relayd's do.
if files.first == "--unwatched" {
    options.isWatched = false
    files.removeFirst()
} else if files.first == "--explained" {
    options.onEvent = { _ in }
    files.removeFirst()
}
guard !files.isEmpty, files.count.isMultiple(of: 2) else {
    complain(
        "usage: embedded-relay [--until-eof] [--unwatched | --explained] FRONT.json BACK.json [FRONT BACK]..."
    )
    exit(EX_USAGE)
}

do throws(RelayError) {
    var relays: [Relay] = []
    for pair in stride(from: 0, to: files.count, by: 2) {
        let notebook = try ConnectionInfo(contentsOf: files[pair])
        let kernel = try ConnectionInfo(contentsOf: files[pair + 1])
        relays.append(try Relay(front: notebook, back: kernel, options: options))
    }
    print("relaying")
    fflush(nil)

    if endsWithInput {
        DispatchQueue.global().async {
            while readLine() != nil {}
            kill(getpid(), SIGTERM)
        }
    }
    var caught: Int32 = 0
    sigwait(&signals, &caught)

    // At the same time: each hears its kernel out for half a second.
    let running = relays
    DispatchQueue.concurrentPerform(iterations: running.count) { running[$0].stop() }
    for relay in relays {
        let report = try? JSONEncoder().encode(relay.statistics)
        print(String(decoding: report ?? Data(), as: UTF8.self))
    }
} catch {
    complain("\(error)")
    exit(EX_UNAVAILABLE)
}
