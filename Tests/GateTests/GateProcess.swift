import CLinux
import FakeJupyter
import Foundation
import Gate
import Glibc
import Ground
import RelayLink
import Synchronization
import Testing

/// The real binary, and the link to it.
///
/// Concurrency: one thread reads the link and fills the inbox; everything else happens on the test's thread.
final class GateProcess {
    static let token = "0123456789abcdef0123456789abcdef"

    let pid: Int32
    let name: String
    private let input: Int32
    private let inbox = Inbox()
    private var nextRequest: Int64 = 0
    private(set) var status: Int32?

    /// What the gate said and nobody has asked for.
    final class Inbox: Sendable {
        struct Content {
            var reports: [GateReport] = []
            /// What came on other streams than 0.
            var frames: [Frame] = []
            var hasEnded = false
        }
        let content = Mutex(Content())
    }

    /// - Parameters:
    ///   - environment: the whole of it, where given.
    ///   - starter: a program by its path and words that start it.
    init(
        _ arguments: [String] = [], name: String? = nil, environment: [String: String]? = nil,
        folder: String? = nil, through starter: [String] = []
    ) throws {
        // A gate may end while it is being written to; that must not end the whole test run.
        signal(SIGPIPE, SIG_IGN)
        self.name = name ?? "test-\(getpid())-\(UInt16.random(in: 0...(.max)))"
        var up: [Int32] = [-1, -1]
        var down: [Int32] = [-1, -1]
        try #require(pipe2(&up, O_CLOEXEC) == 0 && pipe2(&down, O_CLOEXEC) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, up[0], 0)
        posix_spawn_file_actions_adddup2(&actions, down[1], 1)
        if let folder { posix_spawn_file_actions_addchdir_np(&actions, folder) }
        defer { posix_spawn_file_actions_destroy(&actions) }
        let program = Repository.shim
        let words =
            starter + [starter.isEmpty ? "relay-shim" : program, "gate", "--name", self.name] + arguments
        var argv = words.map { strdup($0) } + [nil]
        let own = environment ?? ProcessInfo.processInfo.environment
        var variables = own.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + variables { free(text) } }
        var child: Int32 = 0
        let failure = posix_spawn(&child, starter.first ?? program, &actions, nil, &argv, &variables)
        try #require(failure == 0)
        close(up[0])
        close(down[1])
        pid = child
        input = up[1]
        listen(down[0])
    }

    deinit {
        close(input)
        if status == nil {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
    }

    private func listen(_ descriptor: Int32) {
        let inbox = inbox
        let thread = Thread {
            var decoder = FrameDecoder()
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = read(descriptor, &buffer, buffer.count)
                if count <= 0 { break }
                decoder.feed(buffer[..<count])
                while let frame = try? decoder.next() {
                    if frame.stream != Frame.control {
                        inbox.content.withLock { $0.frames.append(frame) }
                        continue
                    }
                    guard let report = try? GateReport(json: frame.payload) else { continue }
                    inbox.content.withLock { $0.reports.append(report) }
                }
            }
            close(descriptor)
            inbox.content.withLock { $0.hasEnded = true }
        }
        thread.start()
    }

    // MARK: - Talking

    func send(_ request: GateRequest) { raw(Frame(payload: request.json).encoded!) }

    func raw(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { write(input, $0.baseAddress! + start, bytes.count - start) }
            if count <= 0 { return }
            start += count
        }
    }

    /// Takes the first report that `pick` wants; others stay for later calls.
    func take<Result>(
        within milliseconds: Int = 15_000, _ pick: (GateReport) -> Result?
    ) throws -> Result {
        let deadline = Deadline(milliseconds: milliseconds)
        while true {
            let ended = inbox.content.withLock { $0.hasEnded }
            let reports = inbox.content.withLock { $0.reports }
            for (index, report) in reports.enumerated() {
                guard let result = pick(report) else { continue }
                inbox.content.withLock { _ = $0.reports.remove(at: index) }
                return result
            }
            if ended || deadline.passed { throw Silence(reports: reports, linkEnded: ended) }
            usleep(500)
        }
    }

    /// Whether one has come that nobody has taken.
    func hasHeard(_ which: (GateReport) -> Bool) -> Bool {
        inbox.content.withLock { $0.reports }.contains(where: which)
    }

    struct Silence: Error {
        let reports: [GateReport]
        let linkEnded: Bool
    }

    func say(_ frame: StreamFrame, on stream: UInt32) {
        raw(Frame(stream: stream, payload: [frame.kind.rawValue] + frame.rest).encoded!)
    }

    /// Takes the next frame of a stream, or of any.
    func heard(on stream: UInt32? = nil) throws -> (stream: UInt32, said: StreamFrame) {
        let deadline = Deadline(milliseconds: 15_000)
        while !deadline.passed {
            let frame: Frame? = inbox.content.withLock { content in
                guard let index = content.frames.firstIndex(where: { stream ?? $0.stream == $0.stream })
                else { return nil }
                return content.frames.remove(at: index)
            }
            if let frame { return (frame.stream, try #require(StreamFrame(frame.payload))) }
            usleep(500)
        }
        throw Silence(reports: [], linkEnded: linkHasEnded)
    }

    /// Takes so many bytes of a stream.
    func bytes(_ count: Int, on stream: UInt32) throws -> [UInt8] {
        var all: [UInt8] = []
        while all.count < count {
            if case .bytes(let more) = try heard(on: stream).said { all += more }
        }
        return all
    }

    var linkHasEnded: Bool { inbox.content.withLock { $0.hasEnded } }

    func hello(
        ports: [String: UInt16] = [:], token: String = GateProcess.token, linger: Int64 = 5,
        streams: StreamOffer = .none
    ) throws -> GateReport.Welcome {
        send(
            .hello(
                .init(
                    token: token, ports: ports, bind: "127.0.0.1", lingerSeconds: linger, streams: streams)))
        return try take { if case .welcome(let welcome) = $0 { welcome } else { nil } }
    }

    func number() -> Int64 {
        nextRequest += 1
        return nextRequest
    }

    @discardableResult
    func spawn(_ launch: GateRequest.Launch) throws -> (pid: Int32, file: String) {
        let own = number()
        send(.spawn(request: own, launch))
        return try take { report in
            switch report {
            case .spawned(own, _, let pid, let file): (pid, file)
            default: nil
            }
        }
    }

    /// A kernel that is a shell script: what the tests need of one.
    @discardableResult
    func script(_ kernel: String, _ text: String) throws -> (pid: Int32, file: String) {
        try spawn(.init(kernel: kernel, argv: ["/bin/sh", "-c", text, "sh", "{connection_file}"], key: "k"))
    }

    func refusal(of request: GateRequest) throws -> String {
        send(request)
        return try take {
            if case .failed(request.request, let code, _, _) = $0 { code } else { nil }
        }
    }

    func failure() throws -> String {
        try take { if case .failed(_, let code, _, _) = $0 { code } else { nil } }
    }

    func exit(of kernel: String) throws -> GateReport.Exit {
        try take { if case .exited(kernel, let exit) = $0 { exit } else { nil } }
    }

    func done(_ request: Int64) throws {
        _ = try take { if case .done(request) = $0 { true } else { nil } }
    }

    func end(_ kernel: String, grace: Int64 = 2000) throws -> GateReport.Exit {
        let own = number()
        send(.end(request: own, kernel: kernel, graceMilliseconds: grace))
        let exit = try exit(of: kernel)
        try done(own)
        return exit
    }

    func stateOfKernels() throws -> GateReport.Status {
        let own = number()
        send(.status(request: own))
        return try take { if case .status(own, let status) = $0 { status } else { nil } }
    }

    /// What the kernel has printed so far, waited for until it holds `word`.
    func output(of kernel: String, until word: String) throws -> String {
        var text: [UInt8] = []
        while true {
            text += try take { if case .output(kernel, _, let data) = $0 { data } else { nil } }
            let string = String(decoding: text, as: UTF8.self)
            if string.contains(word) { return string }
        }
    }

    // MARK: - The end

    /// Hangs up, as a relayd that is killed does.
    func hangUp() {
        let nothing = open("/dev/null", O_WRONLY | O_CLOEXEC)
        dup2(nothing, input)
        close(nothing)
    }

    func stop() throws -> Int32 {
        send(.stop(request: number(), graceMilliseconds: 0))
        return try wait()
    }

    /// The exit code, or 128 and the signal.
    func wait(within milliseconds: Int = 15_000) throws -> Int32 {
        let deadline = Deadline(milliseconds: milliseconds)
        var status: Int32 = 0
        while waitpid(pid, &status, WNOHANG) == 0 {
            try #require(!deadline.passed, "the gate does not end")
            usleep(1000)
        }
        self.status = status
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}

func isAlive(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    return !(text.components(separatedBy: ") ").last ?? "Z").hasPrefix("Z")
}

func waits(_ done: () -> Bool) -> Bool {
    let deadline = Deadline(milliseconds: 20_000)
    while !deadline.passed {
        if done() { return true }
        usleep(1000)
    }
    return done()
}
