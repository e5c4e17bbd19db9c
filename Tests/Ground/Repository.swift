import Foundation
import Glibc

/// Where the files that tests read lie, and the programs that `swift build` made.
package enum Repository {
    package static func path(_ path: String) -> String { root.appending(path: path).path }

    package static func file(_ path: String) throws -> Data {
        try Data(contentsOf: root.appending(path: path))
    }

    package static func decode<Value: Decodable>(_ path: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: file(path))
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Beside the test bundle, where `swift build` puts it.
    package static let shim: String = {
        var folders = CommandLine.arguments.filter { $0.contains(".xctest") }
            .map { URL(filePath: $0.components(separatedBy: ".xctest")[0]).deletingLastPathComponent().path }
        folders += [path(".build/release"), path(".build/debug")]
        return folders.map { "\($0)/relay-shim" }.first { access($0, X_OK) == 0 } ?? "relay-shim is not built"
    }()
}
