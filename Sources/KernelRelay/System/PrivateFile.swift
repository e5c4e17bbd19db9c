import CLinux
import Glibc

/// Files that hold a key: written whole or not at all, readable by their owner alone.
package enum PrivateFile {
    /// Replaces `path` by a rename, so that a reader sees the old file or the new one.
    package static func write(_ bytes: [UInt8], to path: String) throws(RelayError) {
        var name = Array("\(path).XXXXXX".utf8CString)
        // mkostemp makes the file with mode 0600 whatever the umask says.
        let descriptor = mkostemp(&name, O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path) }
        do throws(RelayError) {
            defer { _ = close(descriptor) }
            try fill(descriptor, with: bytes, path)
        } catch {
            unlink(name)
            throw error
        }
        if rename(name, path) != 0 {
            let error = failure(path)
            unlink(name)
            throw error
        }
    }

    private static func fill(_ descriptor: Int32, with bytes: [UInt8], _ path: String) throws(RelayError) {
        var offset = 0
        while offset < bytes.count {
            let written = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress! + offset, bytes.count - offset)
            }
            if written < 0 {
                if errno == EINTR { continue }
                throw failure(path)
            }
            offset += written
        }
        if fsync(descriptor) != 0 { throw failure(path) }
    }

    private static func failure(_ path: String) -> RelayError {
        RelayError(.connectionNotWritten, path, cause: errorText(errno))
    }

    /// Reads a regular file of at most `limit` bytes. Opened without blocking, so that a FIFO in its place
    /// cannot hold the caller up.
    package static func read(_ path: String, limit: Int) throws(RelayError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            let code: ErrorCode =
                errno == ENOENT || errno == ENOTDIR ? .connectionMissing : .connectionUnreadable
            throw RelayError(code, path, cause: errorText(errno))
        }
        defer { _ = close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else {
            throw RelayError(.connectionUnreadable, path, cause: errorText(errno))
        }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw RelayError(.connectionNotAFile, path) }
        guard facts.st_size <= limit else {
            throw RelayError(.connectionTooLarge, path, cause: "\(facts.st_size) bytes")
        }
        do throws(BoundedRead.Failure) {
            return try BoundedRead.all(descriptor, limit: limit)
        } catch {
            switch error {
            case .failed(let number): throw RelayError(.connectionUnreadable, path, cause: errorText(number))
            case .tooLarge: throw RelayError(.connectionTooLarge, path, cause: "over \(limit) bytes")
            }
        }
    }
}
