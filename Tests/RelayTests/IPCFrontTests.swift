import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// Unix sockets in front, as Jupyter has them with `transport: ipc`.
@Suite struct IPCFrontTests {
    @Test func theFilesArePrivateAndGoWithTheRelay() throws {
        let folder = try Folder()
        let rig = try Rig(front: .ipc(prefix: "\(folder.path)/kernel", key: "front"))
        defer { rig.end() }
        let client = try rig.client()
        #expect(try client.ping(timeout: 15_000))
        for path in folder.sockets {
            var facts = stat()
            #expect(lstat(path, &facts) == 0)
            #expect(facts.st_mode == S_IFSOCK | 0o600)
        }
        rig.relay.stop(listening: .zero)
        #expect(folder.isEmpty)
    }

    @Test func filesOfTheDeadAreReplaced() throws {
        let folder = try Folder()
        for path in folder.sockets { close(try Folder.listen(path)) }
        let rig = try Rig(front: .ipc(prefix: "\(folder.path)/kernel", key: "front"))
        defer { rig.end() }
        #expect(try rig.client().ping(timeout: 15_000))
    }

    @Test(arguments: 1...5)
    func whatLivesIsLeftAlone(_ number: Int) throws {
        let folder = try Folder()
        let taken = folder.sockets[number - 1]
        let listener = try Folder.listen(taken)
        defer { close(listener) }
        let address = PeerAddress.ipc(prefix: "\(folder.path)/kernel", key: "front")
        let error = #expect(throws: RelayError.self) {
            try Relay(front: address.info(), back: PeerAddress.loopback(key: "back").info())
        }
        #expect(error?.code == .portInUse)
        #expect(error?.description.contains(taken) == true)
        // Whoever had it still has it, and nothing else was left behind.
        let visitor = try Folder.connect(taken)
        close(visitor)
        #expect(folder.sockets.filter { access($0, F_OK) == 0 } == [taken])
    }

    /// Neither a socket nor ours: never to be deleted.
    @Test func anotherFileIsLeftAlone() throws {
        let folder = try Folder()
        let precious = folder.sockets[2]
        close(open(precious, O_WRONLY | O_CREAT, 0o644))
        let address = PeerAddress.ipc(prefix: "\(folder.path)/kernel", key: "front")
        #expect(throws: RelayError.self) {
            try Relay(front: address.info(), back: PeerAddress.loopback(key: "back").info())
        }
        var facts = stat()
        #expect(lstat(precious, &facts) == 0)
        #expect(facts.st_mode == S_IFREG | 0o644)
        #expect(folder.sockets.filter { access($0, F_OK) == 0 } == [precious])
    }

    /// In a process of its own, because a working folder belongs to the whole process.
    @Test func aPathMayBeRelative() async {
        await #expect(processExitsWith: .success) {
            let folder = try Folder()
            #expect(chdir(folder.path) == 0)
            let rig = try Rig(front: .ipc(prefix: "kernel", key: "front"))
            defer { rig.end() }
            #expect(folder.sockets.allSatisfy { access($0, F_OK) == 0 })
            let client = try rig.client()
            // What is said relative to one folder must not be looked for in another at the end.
            #expect(chdir("/") == 0)
            #expect(try client.ask("some_request", timeout: 15_000).type == "some_reply")
            rig.relay.stop(listening: .zero)
            #expect(folder.isEmpty)
        }
    }

    @Test func encryptedToo() throws {
        let folder = try Folder()
        var front = PeerAddress.ipc(prefix: "\(folder.path)/kernel", key: "front")
        front.curve = .generate()
        let rig = try Rig(front: front)
        defer { rig.end() }
        #expect(try rig.client().ping(timeout: 15_000))
    }
}

/// A folder for five sockets `kernel-1` to `kernel-5`, removed with all that is in it.
final class Folder {
    let path: String
    var sockets: [String] { (1...5).map { "\(path)/kernel-\($0)" } }
    var isEmpty: Bool { sockets.allSatisfy { access($0, F_OK) != 0 } }

    init() throws {
        var template = Array("/tmp/kernel-relay-ipc-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw PeerError("mkdtemp", code: errno) }
        path = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    }

    deinit {
        for socket in sockets { unlink(socket) }
        rmdir(path)
    }

    /// A socket that somebody listens on.
    static func listen(_ path: String) throws -> Int32 {
        try open(path) { bind($0, $1, $2) == 0 && Glibc.listen($0, 8) == 0 }
    }

    static func connect(_ path: String) throws -> Int32 {
        try open(path) { Glibc.connect($0, $1, $2) == 0 }
    }

    private static func open(
        _ path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
    ) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let done = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard done else {
            close(descriptor)
            throw PeerError(path, code: errno)
        }
        return descriptor
    }
}
