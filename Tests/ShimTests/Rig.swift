import Foundation
import Glibc
import RelayLink
import Testing

/// A runtime folder, a program that passes for `relayd`, and shims.
final class Rig {
    let folder: String
    var runtime: String { "\(folder)/run" }
    var socket: String { "\(runtime)/relayd.sock" }
    var waiting: String { "\(runtime)/waiting.sock" }
    var environment: [String: String]

    /// - Parameter start: what the fake `relayd start` does, in the runtime folder.
    init(start: String = "exit 1") throws {
        Glibc.signal(SIGPIPE, SIG_IGN)
        var template = Array("/tmp/kr-shim-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        folder = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        try #require(mkdir("\(folder)/run", 0o700) == 0 && mkdir("\(folder)/notebooks", 0o700) == 0)
        let script = """
            #!/bin/sh
            cd "$KERNELRELAY_RUNTIME_DIR"
            echo "$*" >> starts
            tr '\\0' '\\n' < /proc/$$/environ > environment
            \(start)
            """
        // Closed on exec: another test's shim would keep it open for writing, and nobody could run it.
        let file = open("\(folder)/relayd", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o700)
        let written = write(file, script, script.utf8.count)
        close(file)
        try #require(written == script.utf8.count)
        environment = [
            "PATH": "/usr/bin:/bin", "HOME": folder, "KERNELRELAY_RUNTIME_DIR": "\(folder)/run",
            "KERNELRELAY_RELAYD": "\(folder)/relayd",
        ]
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// How often `relayd start` was run.
    var starts: Int {
        let text = try? String(contentsOfFile: "\(runtime)/starts", encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    /// What a fake `relayd start` wrote of itself.
    func pid(_ name: String) -> Int32? {
        (try? String(contentsOfFile: "\(runtime)/\(name)", encoding: .utf8))
            .flatMap { Int32($0.trimmingCharacters(in: .newlines)) }
    }

    func shim(
        _ words: [String] = ["-f", "/j/kernel-1.json", "--container", "dev"], closed: [Int32] = []
    ) throws -> ShimProcess {
        try ShimProcess(words, environment: environment, folder: "\(folder)/notebooks", closed: closed)
    }

    /// A shim whose kernel runs.
    func running() throws -> (shim: ShimProcess, relayd: FakeRelayd, connection: FakeRelayd.Connection) {
        let relayd = try FakeRelayd(socket)
        let shim = try shim()
        let connection = try relayd.connection()
        _ = try connection.next()
        connection.send(.launched(request: 1, Self.keepsake))
        // It has read that once it answers to what stands behind it.
        connection.send(.output(stream: .stdout, data: Array("up".utf8)))
        var text = ""
        try eventually("the launch") {
            text += shim.stdout()
            return text == "up" ? () : nil
        }
        return (shim, relayd, connection)
    }

    static let keepsake = ControlRequest.Keepsake(
        kernel: "k1", key: "kernel-key", containerID: "c0ffee", relay: "name")

    static func exited(_ cause: GateReport.Exit.Cause, oom: Bool = false, left: Int64? = 0) -> ControlReport {
        .exited(.init(cause: cause, oomKilled: oom, left: left))
    }
}
