import Foundation

/// Where the files that tests run from lie.
enum Repository {
    static func file(_ path: String) throws -> Data {
        try Data(contentsOf: root.appending(path: path))
    }

    static func path(_ path: String) -> String { root.appending(path: path).path }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
}

/// A folder of the test's own, gone when the test is.
final class Scratch {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "kr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
