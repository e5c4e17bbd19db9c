import Glibc
import Host
import RelayLink

/// One command of an engine's client, from its start to its end.
struct EngineCommand: Sendable {
    let client: EngineClient
    /// What follows the client's own words.
    let words: [String]
    /// How long it may take, where its caller knows no better.
    let limit: Duration

    /// What came of it.
    struct Outcome: Sendable {
        let status: ChildProcess.ExitStatus
        let output: [UInt8]
        /// The end of stderr, on one line.
        let complaint: String

        var succeeded: Bool { status == .code(0) }
        var text: String { String(decoding: output, as: UTF8.self) }
        /// For the cause of an error: what the client said, or how it ended.
        var reason: String {
            if !complaint.isEmpty { return complaint }
            return switch status {
            case .code(let code): "exit code \(code)"
            case .signal(let number): "killed by signal \(number)"
            }
        }
    }

    /// For a person: the client and what was asked of it. Arguments may hold what is nobody's business.
    var name: String { "\(client.shown.joined(separator: " ")) \(words.first ?? "")" }

    /// Runs it to its end, or kills it when it takes too long.
    ///
    /// - Parameter input: its stdin, which is closed here; at its end where there is none.
    func run(within longer: Duration? = nil, input: Int32? = nil) async throws(RelayError)
        -> Outcome
    {
        let limit = longer ?? limit
        let out: (read: Int32, write: Int32)
        do throws(RelayError) {
            out = try Pipe.make()
        } catch {
            if let input { close(input) }
            throw error
        }
        let (child, complaints) = try await start(stdin: input, stdout: out.write, alsoClosing: out.read)
        let output = StreamCapture(out.read, keeping: .first, limit: Tuning.largestAnswer) { child.kill() }
        let status = await withTaskCancellationHandler {
            await child.exit(within: limit)
        } onCancel: {
            child.kill()
        }
        guard let status else {
            child.kill()
            throw RelayError(.engineTimeout, name, cause: "no answer within \(limit)")
        }
        let (bytes, isTooLong) = await output.finish()
        if isTooLong {
            throw RelayError(
                .engineFailed, name, cause: "it answered more than \(Tuning.largestAnswer) bytes")
        }
        return Outcome(
            status: status, output: bytes,
            complaint: client.cleaned(Self.line(await complaints.finish().bytes)))
    }

    /// Starts it, and takes over `stdin` and `stdout`; what it writes to stderr is kept.
    ///
    /// - Parameter other: closed as well when nothing comes of it.
    func start(stdin: Int32?, stdout: Int32, alsoClosing other: Int32) async throws(RelayError) -> (
        child: ChildProcess, complaints: StreamCapture
    ) {
        // Looked up, opened and started on a thread that may wait: paths lead through network file systems.
        do throws(RelayError) {
            return try await offload("kr-client") { () -> Result<(ChildProcess, StreamCapture), RelayError> in
                Result { () throws(RelayError) in try self.spawn(stdin, stdout) }
            }
        } catch {
            close(other)
            throw error
        }
    }

    private func spawn(_ stdin: Int32?, _ stdout: Int32) throws(RelayError) -> (ChildProcess, StreamCapture) {
        defer {
            if let stdin, stdin != stdout { close(stdin) }
            close(stdout)
        }
        let program = client.command.first ?? ""
        guard !(client.command + words).contains(where: { $0.utf8.contains(0) }) else {
            throw RelayError(.engineFailed, name, cause: "a word of the command has a NUL in it")
        }
        guard let path = ProgramLookup.find(program, environment: client.environment) else {
            throw RelayError(.engineMissing, RelayLink.printable(ClientWords.masked(program)))
        }
        let empty = stdin == nil ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1
        if stdin == nil, empty < 0 { throw .system("/dev/null") }
        defer { if empty >= 0 { close(empty) } }
        let err = try Pipe.make()
        defer { close(err.write) }
        do throws(ChildProcess.Failure) {
            let child = try ChildProcess(
                path, argv: client.command + words, environment: client.environment, stdin: stdin ?? empty,
                stdout: stdout, stderr: err.write)
            return (child, StreamCapture(err.read, keeping: .last, limit: Tuning.longestComplaint))
        } catch {
            close(err.read)
            switch error.number {
            case ENOENT, EACCES, ENOEXEC, ENOTDIR, EPERM:
                throw RelayError(
                    .engineMissing, RelayLink.printable(ClientWords.masked(path)),
                    cause: errorText(error.number))
            default: throw .system("posix_spawn", error.number)
            }
        }
    }

    /// The client's words, fit for one line of an error.
    static func line(_ bytes: [UInt8]) -> String {
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
            .map { $0.trimmingPrefix { $0 == " " } }.filter { !$0.isEmpty }
        return RelayLink.printable(lines.joined(separator: "; "), limit: 600)
    }
}
