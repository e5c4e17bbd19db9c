import Foundation
import KernelRelay
import RelayLink
import Testing

/// A tree of folders to look for a project's file in, gone when the test is.
final class ProjectFixture {
    /// Under /tmp, which everybody may write to: no file of the machine's own is in the way.
    let root: String

    init() throws {
        var template = Array("/tmp/kr-project-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func folder(_ path: String, mode: mode_t = 0o755) throws -> String {
        let folder = "\(root)/\(path)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try #require(chmod(folder, mode) == 0)
        return folder
    }

    /// A project's file in a folder of the tree.
    @discardableResult
    func put(_ text: String, in path: String = "", mode: mode_t = 0o644) throws -> String {
        let file = (path.isEmpty ? root : try folder(path)) + "/" + ProjectFile.name
        try text.write(toFile: file, atomically: false, encoding: .utf8)
        try #require(chmod(file, mode) == 0)
        return file
    }

    func choose(
        in folder: String? = nil, _ kernel: ProjectValues = .init(), _ overrides: ProjectValues = .init(),
        allow: [String] = []
    ) throws -> ProjectChoice {
        try ProjectChoice.make(
            kernel, .init(host: "1:2", overrides: overrides, allow: allow), in: folder ?? root)
    }
}

func refusal(_ body: () throws -> Void) -> RelayError? {
    do {
        try body()
        return nil
    } catch {
        return error as? RelayError
    }
}
