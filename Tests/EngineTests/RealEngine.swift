import Foundation
import Glibc
import Ground
import KernelRelay
import RelayLink
import Testing

/// A real engine, and an image that holds nothing but relay-shim.
enum RealEngine {
    static let environment: [String: String] = {
        var own = ProcessInfo.processInfo.environment
        own["KERNELRELAY_SHIM"] = Repository.shim
        return own
    }()
    static let client = EngineClient(environment: environment)
    static let engine = Engine(client)

    /// It has no shell, no libc, no /etc/passwd.
    static var image: String { get async { await making.value } }

    /// Made once, from a tar of one file.
    private static let making = Task {
        let name = "kernelrelay/engine-tests:\(getpid())"
        do {
            let folder = try Scratch()
            let root = "\(folder.path)/root"
            try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Repository.shim, toPath: "\(root)/wait")
            try await run(["tar", "-C", root, "-cf", "\(folder.path)/image.tar", "."])
            try await docker("import", "\(folder.path)/image.tar", name)
        } catch {
            Issue.record("these tests need a Docker engine (Tools/engine starts one): \(error)")
        }
        // Images go when the last test has ended, and no container is in the way any more.
        atexit {
            RealEngine.removals.wait()
            _ = try? RealEngine.wait(
                for: ["docker", "image", "rm", "--force", "kernelrelay/engine-tests:\(getpid())"])
        }
        return name
    }

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    @discardableResult
    static func docker(_ words: String...) async throws -> String { try await run(["docker"] + words) }

    /// On a thread of its own: the tests and what they test have as few as there are processors.
    @discardableResult
    static func run(_ words: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Foundation.Thread { continuation.resume(with: Result { try wait(for: words) }) }.start()
        }
    }

    /// Takes a container away. A deinit, which is where this is called, cannot await it.
    static func remove(_ container: String) {
        removals.enter()
        Foundation.Thread {
            _ = try? wait(for: ["docker", "rm", "--force", "--volumes", container])
            removals.leave()
        }.start()
    }

    private static let removals = DispatchGroup()

    /// By popen: Foundation's Process starts no two children at once safely.
    private static func wait(for words: [String]) throws -> String {
        let line = words.map(ShellWord.quote).joined(separator: " ")
        guard let stream = popen("\(line) </dev/null 2>&1", "re") else { throw Failed(description: "popen") }
        var said: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&chunk, 1, chunk.count, stream), count > 0 { said += chunk[..<count] }
        let status = pclose(stream)
        let text = String(decoding: said, as: UTF8.self)
        guard status == 0 else { throw Failed(description: "\(words): \(text)") }
        return text
    }

    static func name() -> String { "kr-engine-test-\(getpid())-\(UInt32.random(in: 0...(.max)))" }
}

/// A container that goes with the test.
final class TestContainer {
    let name = RealEngine.name()

    /// - Parameter flags: of `run`.
    init(_ flags: [String] = []) async throws {
        let words = ["docker", "run", "--detach", "--init", "--network", "none", "--name", name]
        try await RealEngine.run(words + flags + [RealEngine.image, "/wait", "hold"])
    }

    deinit { RealEngine.remove(name) }

    func facts() async throws -> Container { try await RealEngine.engine.container(name) }

    func open(
        user: String? = nil, joins: Bool = false, gate: String = "gate", shim: String? = nil
    ) async throws -> OpenGate {
        var client = RealEngine.client
        if let shim { client.environment["KERNELRELAY_SHIM"] = shim }
        return try await Engine(client).openGate(
            in: try await facts(), user: user, name: gate, joins: joins,
            hello: .init(token: Self.token, lingerSeconds: 120))
    }

    static let token = "0123456789abcdef0123456789abcdef"

    static let mount = ["--mount", "type=bind,source=\(Repository.shim),target=\(GatePath.mount),readonly"]

    /// The copies of the gate in it, changes to its root being all that can be seen of an image without a shell.
    func copies() async throws -> [String] {
        try await RealEngine.docker("diff", name).split(separator: "\n").map(String.init)
            .filter { $0.hasPrefix("A /.kernelrelay-") }
    }
}

extension OpenGate {
    var welcome: GateReport.Welcome? { if case .welcome(let welcome) = first { welcome } else { nil } }

    /// Ends the gate, and waits for its client's end.
    func stop() async -> ChildProcess.ExitStatus? {
        channel.send(GateRequest.stop(request: 1, graceMilliseconds: 0))
        while await channel.next() != nil {}
        return await process.exit(within: .seconds(20))
    }
}

/// The code that something fails with.
func code(_ work: () async throws -> Void) async -> RelayError? {
    do {
        try await work()
        Issue.record("nothing failed")
        return nil
    } catch {
        if error as? RelayError == nil { Issue.record(error) }
        return error as? RelayError
    }
}
