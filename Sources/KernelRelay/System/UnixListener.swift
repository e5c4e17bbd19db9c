import CLinux
import Glibc
import Host

/// A listening Unix socket that nobody but its owner can reach, from its first moment on. Its file goes when
/// it goes.
///
/// libzmq would make the file itself, with the mode that the process's umask leaves, and would delete
/// whatever stood at the path before. Here the mode is set before the name exists, and a file is replaced
/// only when it is a socket on which nobody listens any more.
package final class UnixListener {
    package let descriptor: Int32
    private let path: String
    private var isBound = false
    private var isOurs = true

    package init(_ path: String) throws(RelayError) {
        self.path = path
        descriptor = try Self.make()
        guard fchmod(descriptor, 0o600) == 0 else { throw .system("fchmod \(path)") }
        var failure = Self.bind(descriptor, path)
        if failure == EADDRINUSE, Self.isAbandoned(path) {
            unlink(path)
            failure = Self.bind(descriptor, path)
        }
        if failure == EADDRINUSE { throw RelayError(.portInUse, path) }
        if failure != 0 { throw RelayError(.bindFailed, path, cause: errorText(failure)) }
        isBound = true
        guard listen(descriptor, 128) == 0 else { throw .system("listen \(path)") }
    }

    /// Takes the name away at once; the descriptor stays until the listener goes.
    package func withdraw() {
        if isBound { unlink(path) }
        isBound = false
    }

    /// Somebody else closes the descriptor from now on.
    package func handOver() { isOurs = false }

    deinit {
        if isBound { unlink(path) }
        if isOurs { close(descriptor) }
    }

    private static func make() throws(RelayError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        if descriptor < 0 { throw .system("socket") }
        return descriptor
    }

    private static func bind(_ descriptor: Int32, _ path: String) -> Int32 {
        UnixName.with(path) { Glibc.bind(descriptor, $0, $1) == 0 ? 0 : errno }
    }

    /// Takes away the sockets of a folder, by the beginning of their names, on which nobody listens.
    package static func removeAbandoned(in folder: String, prefix: String) {
        guard let directory = opendir(folder) else { return }
        defer { closedir(directory) }
        while let item = readdir(directory) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let path = "\(folder)/\(name)"
            if name.hasPrefix(prefix), isAbandoned(path) { unlink(path) }
        }
    }

    private static func isAbandoned(_ path: String) -> Bool {
        var facts = stat()
        guard lstat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFSOCK, let probe = try? make() else {
            return false
        }
        defer { close(probe) }
        return UnixName.with(path) { connect(probe, $0, $1) != 0 && errno == ECONNREFUSED }
    }
}
