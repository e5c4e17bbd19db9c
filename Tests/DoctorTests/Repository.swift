import Foundation
import Glibc

/// Where the files that tests run from lie, and the programs that `swift build` made.
enum Repository {
    static func file(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: root.appending(path: path)))
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Beside the test bundle, where `swift build` puts it.
    static let shim: String = {
        var folders = CommandLine.arguments.filter { $0.contains(".xctest") }
            .map { URL(filePath: $0.components(separatedBy: ".xctest")[0]).deletingLastPathComponent().path }
        folders += [root.appending(path: ".build/release").path, root.appending(path: ".build/debug").path]
        return folders.map { "\($0)/relay-shim" }.first { access($0, X_OK) == 0 } ?? "relay-shim is not built"
    }()
}

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() throws {
        var name = Array("/tmp/kr-doctor-tests-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw POSIXError(.EIO) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String, mode: Int = 0o644) throws -> String {
        let file = "\(path)/\(name)"
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return file
    }
}
