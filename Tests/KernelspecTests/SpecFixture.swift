import Foundation
import KernelRelay
import Testing

/// A folder in which kernels may be written, gone when the test is.
final class SpecFixture {
    let root: String
    var kernels: String { "\(root)/share/jupyter/kernels" }

    init() throws {
        var template = Array("/tmp/kr-spec-test-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    var folders: JupyterFolders {
        JupyterFolders(environment: ["HOME": "/nowhere", "JUPYTER_PATH": "\(root)/share/jupyter"]) { nil }
    }

    static let spec = Kernelspec(
        program: "/opt/relay-shim", container: "dev", displayName: "Python (dev)",
        options: ["--user", "host"])

    func put(_ text: String, as name: String) throws {
        let folder = "\(kernels)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try text.write(toFile: "\(folder)/kernel.json", atomically: true, encoding: .utf8)
    }

    func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
}

func code(_ body: () throws -> Void) -> ErrorCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? RelayError)?.code
    }
}
