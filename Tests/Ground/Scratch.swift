import Foundation
import Glibc

/// A folder of the test's own, gone when the test is.
package final class Scratch {
    package let path: String

    package init() throws { path = try Self.make("\(Self.whole.get())/XXXXXX") }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// What all are in. It goes with the process: an engine makes a mount's source anew when it has gone already, and
    /// what a static holds is never let go of.
    private static let whole: Result<String, any Error> = Result {
        let path = try make("/tmp/kr-tests-XXXXXX")
        atexit { _ = try? FileManager.default.removeItem(atPath: Scratch.whole.get()) }
        return path
    }

    private static func make(_ template: String) throws -> String {
        var name = Array(template.utf8CString)
        guard mkdtemp(&name) != nil else { throw POSIXError(.EIO) }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
        let file = "\(path)/\(name)"
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
