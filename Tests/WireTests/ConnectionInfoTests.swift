import CLinux
import Foundation
import Ground
import KernelRelay
import Testing

/// Every connection file that Jupyter writes is read, and each way of breaking one has its own name.
@Suite struct ConnectionInfoTests {
    struct Expectation: Decodable {
        let ok: Bool
        let code: String?
    }

    static let folder = "Tests/Fixtures/connection/"

    static let fixtures: [String: Expectation] = {
        do {
            return try JSONDecoder().decode(
                [String: Expectation].self, from: Repository.file(folder + "expected.json"))
        } catch {
            Issue.record("the fixtures' verdicts cannot be read: \(error)")
            return [:]
        }
    }()

    @Test func everyFixtureHasAVerdict() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Repository.path(Self.folder))
        #expect(Set(files) == Set(Self.fixtures.keys).union(["expected.json"]))
        #expect(files.count > 50)
    }

    @Test(arguments: fixtures.keys.sorted())
    func isReadOrRefused(_ name: String) throws {
        let expected = try #require(Self.fixtures[name])
        let path = Repository.path(Self.folder + name)
        do throws(RelayError) {
            _ = try ConnectionInfo(contentsOf: path)
            #expect(expected.ok, "it was read")
        } catch {
            #expect(error.code.rawValue == expected.code)
            #expect(!error.remedy.isEmpty)
        }
    }

    /// What is written is what was read, keys that nobody knows included.
    @Test(arguments: fixtures.filter(\.value.ok).keys.sorted())
    func survivesARewrite(_ name: String) throws {
        let scratch = try Scratch()
        let copy = scratch.path + "/copy.json"
        let info = try ConnectionInfo(contentsOf: Repository.path(Self.folder + name))
        try info.write(to: copy)

        let before =
            try JSONSerialization.jsonObject(with: Repository.file(Self.folder + name)) as? NSDictionary
        let after =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: copy))) as? NSDictionary
        let missing = (before?.allKeys as? [String] ?? []).filter {
            before?[$0] as? NSObject != after?[$0] as? NSObject
        }
        // A key that stood there as null says as little as one that is not there.
        #expect(missing.filter { !(before?[$0] is NSNull) } == [])
        #expect(try ConnectionInfo(contentsOf: copy) == info)

        let facts = try FileManager.default.attributesOfItem(atPath: copy)
        #expect(facts[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["copy.json"])
    }

    @Test func whatCannotBeCommittedIsRefusedToo() throws {
        let scratch = try Scratch()
        func refusal(of path: String) -> ErrorCode? {
            do throws(RelayError) {
                _ = try ConnectionInfo(contentsOf: path)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(refusal(of: scratch.path) == .connectionNotAFile)
        #expect(refusal(of: scratch.path + "/none") == .connectionMissing)
        #expect(refusal(of: scratch.path + "/none/deeper") == .connectionMissing)

        let huge = scratch.path + "/huge.json"
        _ = FileManager.default.createFile(atPath: huge, contents: nil)
        truncate(huge, 100 << 20)
        #expect(refusal(of: huge) == .connectionTooLarge)

        let fifo = scratch.path + "/fifo"
        mkfifo(fifo, 0o600)
        #expect(refusal(of: fifo) == .connectionNotAFile)
        #expect(refusal(of: "/dev/zero") == .connectionNotAFile)

        // root reads everything, so that the mode is tried as somebody else where it can be.
        let closed = scratch.path + "/closed.json"
        _ = FileManager.default.createFile(atPath: closed, contents: Data("{}".utf8))
        chmod(closed, 0)
        if geteuid() != 0 {
            #expect(refusal(of: closed) == .connectionUnreadable)
        } else {
            chmod(scratch.path, 0o755)
            #expect(asNobody { refusal(of: closed) } == .connectionUnreadable)
        }
    }

    @Test func aFieldThatStandsTwiceIsRefused() throws {
        let text = """
            {"ip": "127.0.0.1", "key": "a", "shell_port": 5001, "shell_port": 5006, "iopub_port": 5002,
             "stdin_port": 5003, "control_port": 5004, "hb_port": 5005, "kernel_name": "\\\\\\":{x"}
            """
        #expect(throws: RelayError.self) { try ConnectionInfo(json: Array(text.utf8)) }
        let once = text.replacingOccurrences(of: "\"shell_port\": 5006, ", with: "")
        #expect(try ConnectionInfo(json: Array(once.utf8)).port(.shell) == 5001)
        do throws(RelayError) {
            _ = try ConnectionInfo(json: Array(text.utf8))
        } catch {
            #expect(error.code == .connectionFieldDoubled)
        }
    }

    @Test func aRelativePathIsRelativeToTheCallersFolder() throws {
        let info = try ConnectionInfo(
            contentsOf: Repository.path(Self.folder + "good-ipc-relative-path.json"))
        #expect(
            info.ipcPath(.shell) == FileManager.default.currentDirectoryPath
                + "/\(info.ip)-\(info.port(.shell))")
    }

    @Test func nothingShowsTheKey() throws {
        let key = "3a7f-very-secret"
        let info = try ConnectionInfo(
            ports: [.shell: 1, .iopub: 2, .stdin: 3, .control: 4, .hb: 5], key: SigningKey(key))
        var dumped = ""
        dump(info, to: &dumped)
        for text in [
            "\(info)", String(reflecting: info), "\(info.key)", String(reflecting: info.key), dumped,
        ] {
            #expect(!text.contains(key))
        }
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let scratch = try Scratch()
        let info = try ConnectionInfo(
            ports: [.shell: 1, .iopub: 2, .stdin: 3, .control: 4, .hb: 5], key: .random())
        #expect(throws: RelayError.self) { try info.write(to: scratch.path + "/none/file.json") }
        // A folder in the way makes the last step fail.
        let folder = scratch.path + "/folder"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        #expect(throws: RelayError.self) { try info.write(to: folder) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path) == ["folder"])
    }
}

/// Runs `body` with another user's rights to files, on this thread alone.
private func asNobody<Result>(_ body: () -> Result) -> Result {
    setfsuid(65534)
    defer { setfsuid(0) }
    return body()
}
