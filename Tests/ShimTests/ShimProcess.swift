import CLinux
import Foundation
import Glibc
import Ground
import Testing

/// The real binary, started as Jupyter starts it.
final class ShimProcess {
    let pid: Int32
    private let out: Int32
    private let err: Int32
    private var status: Int32?

    init(
        _ words: [String], environment: [String: String], folder: String, closed: [Int32] = []
    ) throws {
        var outEnds: [Int32] = [-1, -1]
        var errEnds: [Int32] = [-1, -1]
        try #require(pipe2(&outEnds, O_CLOEXEC) == 0 && pipe2(&errEnds, O_CLOEXEC) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outEnds[1], 1)
        posix_spawn_file_actions_adddup2(&actions, errEnds[1], 2)
        posix_spawn_file_actions_addchdir_np(&actions, folder)
        for descriptor in closed { posix_spawn_file_actions_addclose(&actions, descriptor) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, Int16(KR_SPAWN_SETSID))
        var argv = (["relay-shim"] + words).map { strdup($0) } + [nil]
        var variables = environment.map { strdup("\($0)=\($1)" as String) } + [nil]
        defer { for text in argv + variables { free(text) } }
        var child: Int32 = 0
        let failure = posix_spawn(&child, Repository.shim, &actions, &attributes, &argv, &variables)
        try #require(failure == 0)
        close(outEnds[1])
        close(errEnds[1])
        pid = child
        out = outEnds[0]
        err = errEnds[0]
        for descriptor in [out, err] { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    }

    deinit {
        if status == nil {
            Glibc.kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        close(out)
        close(err)
    }

    func signal(_ number: Int32) { Glibc.kill(pid, number) }

    /// What has been written since the last look.
    private func read(_ descriptor: Int32) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count <= 0 { return String(decoding: text, as: UTF8.self) }
            text += buffer[..<count]
        }
    }

    func stdout() -> String { read(out) }
    func stderr() -> String { read(err) }

    /// As a reader that goes away.
    func closeStderr() {
        let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
        dup2(nothing, err)
        _ = fcntl(err, F_SETFD, FD_CLOEXEC)
        close(nothing)
    }

    enum End: Equatable {
        case code(Int32)
        case signal(Int32)
    }

    func end(within seconds: Double = 15) throws -> End {
        let status = try eventually("the shim's end", within: seconds) {
            var status: Int32 = 0
            return waitpid(pid, &status, WNOHANG) == pid ? status : nil
        }
        self.status = status
        // A shim leaves no core behind, whatever it dies of.
        #expect(status & 0x80 == 0)
        return status & 0x7F == 0 ? .code(status >> 8 & 0xFF) : .signal(status & 0x7F)
    }
}
