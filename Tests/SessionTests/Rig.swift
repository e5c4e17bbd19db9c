import CLinux
import FakeJupyter
import Foundation
import Glibc
import RelayLink
import Testing

@testable import KernelRelay

/// Everything that has to do with whole sessions: one test at a time, because what is waited for has bounds.
@Suite(.serialized) enum SessionLifeTests {}

/// A relayd in this process, an engine that is none, and what came of them in a folder of their own.
///
/// Concurrency: used by one task at a time.
final class Rig: @unchecked Sendable {
    let folder: String
    let mark = UUID().uuidString
    let engine: FakeEngine
    private(set) var relayd: Relayd
    /// What the gate is told to listen on.
    let gatePorts: [String: UInt16]
    private var files = 0

    /// One relayd, as `relayd serve` makes it.
    struct Relayd {
        let supervisor: Supervisor
        let server: ControlServer
        let socket: String

        init(_ folder: String) throws {
            socket = "\(folder)/relayd.sock"
            supervisor = try Supervisor(folder: folder)
            server = try ControlServer(socket, supervisor: supervisor)
            server.start()
        }
    }

    init() throws {
        Glibc.signal(SIGPIPE, SIG_IGN)
        Descriptors.raiseLimit()
        var template = Array("/tmp/kr-session-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        engine = try FakeEngine(folder: folder, mark: mark)
        relayd = try Relayd(folder)
        gatePorts = Self.byName(try .loopback(key: ""))
    }

    private static func byName(_ address: PeerAddress) -> [String: UInt16] {
        Dictionary(uniqueKeysWithValues: address.ports.map { ($0.key.rawValue, $0.value) })
    }

    /// The old one has ended, by whatever way; another takes its place.
    func startAgain() throws {
        relayd.server.close()
        relayd = try Relayd(folder)
    }

    // MARK: - Launches

    func notebook() throws -> (address: PeerAddress, file: String) {
        let address = try PeerAddress.loopback(key: "notebook-key")
        files += 1
        let file = "\(folder)/kernel-\(files).json"
        try address.write(to: file)
        return (address, file)
    }

    /// A kernel that is a shell script, and carries a name of its own in its environment.
    func launch(
        _ script: String = "exec sleep 1000", named name: String = "kernel", user: String? = nil,
        file: String? = nil, onFailure: ControlRequest.Launch.Failure = .exit
    ) throws -> ControlRequest.Launch {
        ControlRequest.Launch(
            connectionFile: try file ?? notebook().file, container: "box", engine: engine.client,
            engineEnvironment: engine.environment, user: user, folder: folder, env: ["KR_KERNEL": name],
            command: "['sh', '-c', \(JSONText.quoted(script)), 'sh', '{connection_file}']", ports: gatePorts,
            onFailure: onFailure)
    }

    /// A file for a kernel's script and the test to speak by.
    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func touch(_ name: String) { close(open(path(name), O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)) }

    /// Kept until the rig goes: an optimised test lets go of one after its last use, and so would end its kernel.
    func shim() throws -> RawShim {
        let shim = try RawShim(relayd.socket)
        shims.append(shim)
        return shim
    }
    private var shims: [RawShim] = []

    /// A kernel that runs.
    func running(_ launch: ControlRequest.Launch) async throws -> (
        shim: RawShim, keepsake: ControlRequest.Keepsake
    ) {
        let shim = try shim()
        shim.launch(launch)
        return (shim, try await shim.launched())
    }

    /// A session that nobody runs, and the shim's end of its channel.
    func idleSession() throws -> (session: KernelSession, shim: Int32) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        idle.append(ends[1])
        let session = KernelSession(
            try launch(), keepsake: nil, shim: FrameChannel(ends[0]),
            gates: GatePool(secret: try GateSecret(folder: folder)))
        return (session, ends[1])
    }
    private var idle: [Int32] = []

    /// For a test that starts nothing.
    func discard() {
        for descriptor in idle { close(descriptor) }
        relayd.server.close()
        try? FileManager.default.removeItem(atPath: folder)
    }

    // MARK: - What there is

    /// Everything that the engine started, or what of it has another variable besides.
    func processes(_ variable: String? = nil) -> [Int32] {
        let wanted = ["KR_TEST_MARK=\(mark)", variable].compactMap(\.self).map { Array("\($0)\0".utf8) }
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter { pid in
            guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/environ") else {
                return false
            }
            return wanted.allSatisfy { bytes.firstRange(of: $0) != nil }
        }
    }

    func kernels(named name: String = "kernel") -> [Int32] { processes("KR_KERNEL=\(name)") }

    /// A list of what `relayd status` prints.
    func status(_ name: String) async -> [[String: JSON]] {
        guard case .array(let list)? = await relayd.supervisor.status().fields?[name] else { return [] }
        return list.compactMap(\.fields)
    }

    /// The ids of the sessions that relayd has.
    func sessions() async -> [String] { await status("kernels").compactMap { $0["id"]?.text } }

    /// Waits until a kernel has been asked for at a gate that is stopped. Other questions to it are unread as well, so
    /// that these alone say nothing.
    @discardableResult
    func untilAsked(_ gate: FakeEngine.Link) async throws -> KernelSession {
        try await eventually("the request") {
            guard gate.unread > 0 else { return nil }
            for session in await relayd.supervisor.kernels.values
            where await session.phases.current == .spawn { return session }
            return nil
        }
    }

    func untilGone(_ name: String = "kernel", within limit: Duration = .seconds(20)) async throws {
        try await eventually("the end of \(name)", within: limit) { kernels(named: name).isEmpty ? () : nil }
    }

    func untilNoSession(within limit: Duration = .seconds(30)) async throws {
        try await eventually("the end of all sessions", within: limit) {
            await sessions().isEmpty ? () : nil
        }
    }

    /// Whether all five ports can be bound as Jupyter's next kernel would.
    static func areFree(_ address: PeerAddress) -> Bool {
        address.ports.values.allSatisfy { HostPorts.isFree($0) }
    }

    // MARK: - The end

    /// Ends what the test left, and looks whether relayd's own end leaves nothing.
    fileprivate func end() async {
        for pid in processes() { kill(pid, SIGCONT) }
        try? engine.become(.works)
        let supervisor = relayd.supervisor
        let stopped = await ends(within: .seconds(60)) { await supervisor.stop(grace: .zero) }
        #expect(stopped, "relayd does not stop")
        relayd.server.close()
        do {
            try await eventually("the end of everything", within: .seconds(10)) {
                processes().isEmpty ? () : nil
            }
        } catch {
            for pid in processes() {
                let words = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
                let line = String(decoding: words.map { $0 == 0 ? 32 : $0 }, as: UTF8.self)
                Issue.record("left behind: \(pid) \(line)")
                kill(pid, SIGKILL)
            }
        }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// Runs what may wait on a thread of its own: relayd's actors have only few.
func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Foundation.Thread { continuation.resume(with: Result { try work() }) }.start()
    }
}

/// A test with a rig of its own, of which nothing stays.
func withRig(_ test: (Rig) async throws -> Void) async throws {
    let rig = try Rig()
    do {
        try await test(rig)
    } catch {
        await rig.end()
        throw error
    }
    await rig.end()
}
