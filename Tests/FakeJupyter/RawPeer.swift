import Glibc

/// A TCP connection without libzmq: for strangers, and for peers that die in the middle of a word.
package final class RawPeer {
    private let descriptor: Int32
    private var open = true

    /// Connects to a port of `address`, which must be a tcp one on 127.0.0.1.
    package init(_ address: PeerAddress, _ channel: PeerChannel) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw PeerError("socket", code: errno) }
        let connected = address.lent(channel) { Glibc.connect(descriptor, $0, $1) }
        if connected != 0 {
            Glibc.close(descriptor)
            throw PeerError("connect to \(channel)", code: errno)
        }
    }

    deinit { close() }

    package func close() {
        if open { Glibc.close(descriptor) }
        open = false
    }

    package func write(_ bytes: [UInt8]) throws {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes.withUnsafeBytes {
                send(descriptor, $0.baseAddress! + offset, bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw PeerError("send", code: errno) }
            offset += sent
        }
    }

    /// Exactly `count` bytes.
    package func read(_ count: Int, timeout milliseconds: Int = 10_000) throws -> [UInt8] {
        let deadline = Deadline(milliseconds: milliseconds)
        var bytes: [UInt8] = []
        while bytes.count < count {
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, Int32(deadline.milliseconds)) > 0 else {
                throw PeerError("nothing to read")
            }
            var chunk = [UInt8](repeating: 0, count: count - bytes.count)
            let got = recv(descriptor, &chunk, chunk.count, 0)
            guard got > 0 else { throw PeerError("the other side hung up", code: got < 0 ? errno : 0) }
            bytes += chunk[..<got]
        }
        return bytes
    }

    // MARK: - ZMTP 3.0 with the NULL mechanism (RFC 23)

    /// Shakes hands as a socket of a kind; a DEALER may have a name.
    package func shakeHands(as kind: String, identity: [UInt8] = []) throws {
        let greeting: [UInt8] =
            [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 0] + Array("NULL".utf8)
            + [UInt8](repeating: 0, count: 48)
        try write(greeting)
        _ = try read(64)
        var ready: [UInt8] = [5] + Array("READY".utf8)
        for (name, value) in [("Socket-Type", Array(kind.utf8)), ("Identity", identity)] {
            ready += [UInt8(name.utf8.count)] + Array(name.utf8) + [0, 0, 0, UInt8(value.count)] + value
        }
        try write([0x04, UInt8(ready.count)] + ready)
        // Their READY: a flag, a length, and so many bytes.
        let head = try read(2)
        _ = try read(Int(head[1]))
    }

    /// A frame of at most 255 bytes, to be followed by others.
    package static func frame(_ bytes: [UInt8], more: Bool) -> [UInt8] {
        [more ? 1 : 0, UInt8(bytes.count)] + bytes
    }

    /// The head of a long frame.
    package static func longFrameHead(_ size: UInt64, more: Bool) -> [UInt8] {
        [more ? 3 : 2] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (56 - 8 * UInt64($0))) }
    }
}
