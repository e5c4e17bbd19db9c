import FakeJupyter
import Foundation
import Gate
import Glibc
import Ground
import Testing

/// `relay-shim hold`, or somebody who claims to be it, in a mount namespace of its own: by the namespaces a gate finds the
/// `hold` of its container, and gates of other tests must not find this one.
final class HoldProcess {
    private let process = Process()
    private let output = Pipe()

    /// - Parameter program: instead of the real one, and its words.
    init(_ words: [String], asFirst: Bool = false, program: [String]? = nil) throws {
        var prefix = ["unshare", "--mount"]
        if getuid() != 0 { prefix += ["--user", "--map-root-user"] }
        // Killed with the one that made its namespace, which is who is known here.
        if asFirst { prefix += ["--pid", "--fork", "--kill-child", "--mount-proc"] }
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = prefix + (program ?? [Repository.shim, "hold"]) + words
        process.standardError = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
    }

    deinit { end() }

    func end() {
        guard process.isRunning else { return }
        kill(pid, SIGKILL)
        process.waitUntilExit()
    }

    /// Where this is not allowed there is no test of it.
    static let isPossible: Bool = {
        guard let trial = try? HoldProcess([], program: ["true"]) else { return false }
        trial.process.waitUntilExit()
        return trial.process.terminationStatus == 0
    }()

    var pid: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// How it ended by itself.
    func exitCode() -> Int32? {
        guard waits({ !process.isRunning }), process.terminationReason == .exit else { return nil }
        return process.terminationStatus
    }

    /// A word that the program prints.
    func said() -> String { String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) }

    /// Whoever comes before would find nobody.
    func listens() -> Bool {
        waits {
            // Anybody's names are among them, in any encoding, and the file is written anew for each page that is read.
            let table = FileHandle(forReadingAtPath: "/proc/net/unix")?.readDataToEndOfFile() ?? Data()
            return String(decoding: table, as: UTF8.self)
                .contains("@kernelrelay-keeper-\(inode("pid"))-\(inode("mnt"))\n")
        }
    }

    private func inode(_ namespace: String) -> UInt64 {
        var facts = stat()
        return stat("/proc/\(pid)/ns/\(namespace)", &facts) == 0 ? UInt64(facts.st_ino) : 0
    }

    /// What starts a program beside it.
    var beside: [String] {
        let place = "/proc/\(pid)/ns"
        let user = getuid() == 0 ? [] : ["--user=\(place)/user", "--preserve-credentials"]
        return ["/usr/bin/nsenter"] + user + ["--mount=\(place)/mnt"]
    }
}
