import Glibc

/// Files of the system's, such as those in /proc: read whole, and only when they are small.
package enum SmallFile {
    package static func read(_ path: String, limit: Int = 64 * 1024) -> [UInt8]? {
        // Not blocking, or a FIFO in a file's place would hold the gate up.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < limit {
            let room = min(16 * 1024, limit - bytes.count)
            var failure: Int32 = 0
            let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                let received = Glibc.read(descriptor, buffer.baseAddress, room)
                if received < 0 { failure = errno }
                count = max(0, received)
            }
            if failure == EINTR { continue }
            if failure != 0 { return nil }
            if piece.isEmpty { break }
            bytes += piece
        }
        return bytes
    }

    package static func text(_ path: String) -> String? {
        read(path).map { String(decoding: $0, as: UTF8.self) }
    }
}
