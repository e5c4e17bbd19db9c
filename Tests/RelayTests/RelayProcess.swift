import FakeJupyter
import FoundationEssentials
import Glibc
import KernelRelay

/// `embedded-relay` in a process of its own, so that its memory can be told from everybody else's.
///
/// Ended and reaped when it goes, whatever happened.
final class RelayProcess {
    let pid: pid_t
    private var input: Int32
    private let output: Int32
    private let folder: String
    private var unread: [UInt8] = []

    init(front: PeerAddress, back: PeerAddress) throws {
        var template = Array("/tmp/kernel-relay-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw PeerError("mkdtemp", code: errno) }
        let folder = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
        let files = ["\(folder)/front.json", "\(folder)/back.json"]
        try front.write(to: files[0])
        try back.write(to: files[1])

        var toChild: [Int32] = [-1, -1]
        var fromChild: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &toChild) == 0, socketpair(AF_UNIX, kind, 0, &fromChild) == 0
        else { throw PeerError("socketpair", code: errno) }
        defer {
            close(toChild[0])
            close(fromChild[1])
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toChild[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromChild[1], STDOUT_FILENO)
        var arguments: [UnsafeMutablePointer<CChar>?] =
            ([Self.program, "--until-eof"] + files).map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, Self.program, &actions, nil, &arguments, environ)
        guard failure == 0 else { throw PeerError("cannot run \(Self.program)", code: failure) }
        self.pid = pid
        self.folder = folder
        input = toChild[1]
        output = fromChild[0]
        guard try line() == "relaying" else { throw PeerError("the relay's process did not start") }
    }

    deinit {
        if input >= 0 { close(input) }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        close(output)
        for name in ["front.json", "back.json"] { unlink("\(folder)/\(name)") }
        rmdir(folder)
    }

    /// Beside the test bundle, where the build put it.
    private static var program: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer[..<max(0, count)].map(UInt8.init), as: UTF8.self)
        return own.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/embedded-relay"
    }

    /// Ends the relay and returns what it did.
    func finish() throws -> RelayStatistics {
        close(input)
        input = -1
        return try JSONDecoder().decode(RelayStatistics.self, from: Data(line().utf8))
    }

    private func line() throws -> String {
        while true {
            if let end = unread.firstIndex(of: 10) {
                defer { unread.removeSubrange(...end) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var watched = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, 20_000) > 0 else { throw PeerError("the relay's process said nothing") }
            var chunk = [UInt8](repeating: 0, count: 4096)
            let count = read(output, &chunk, chunk.count)
            guard count > 0 else { throw PeerError("the relay's process ended") }
            unread += chunk[..<count]
        }
    }

    /// A figure of /proc/PID/status in bytes: VmHWM, RssAnon.
    func memory(_ name: String) throws -> Int {
        guard let file = fopen("/proc/\(pid)/status", "r") else { throw PeerError("status", code: errno) }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        while fgets(&buffer, 256, file) != nil {
            let line = buffer.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            guard line.hasPrefix("\(name):") else { continue }
            guard let kilobytes = Int(line.filter(\.isNumber)) else { break }
            return kilobytes * 1024
        }
        throw PeerError("no \(name) in the status of \(pid)")
    }
}
