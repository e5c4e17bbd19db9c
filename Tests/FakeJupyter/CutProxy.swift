import Glibc
import Synchronization

/// A wire between a relay and one port of a kernel that can be cut after so many bytes: what a kernel looks like that
/// dies in the middle of a message.
///
/// Concurrency: one thread copies both ways, from `init` to `end`, which joins it; the figures are atomics.
package final class CutProxy: @unchecked Sendable {
    /// Where to connect instead of to the kernel.
    package let port: UInt16
    private let listener: Int32
    private let target: UInt16
    private let state: State
    private var thread: PeerThread?

    private final class State: Sendable {
        /// Bytes from the kernel that may still pass before the wire is cut; negative for no end.
        let left = Atomic<Int>(-1)
        let cuts = Atomic<Int>(0)
        let ended = Atomic<Bool>(false)
    }

    package init(to target: UInt16) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard bound else { throw PeerError("proxy", code: errno) }
        port = UInt16(bigEndian: address.sin_port)
        let state = State()
        self.listener = listener
        self.target = target
        self.state = state
        thread = PeerThread { Self.run(listener, target, state) }
    }

    /// How often the wire was cut.
    package var cuts: Int { state.cuts.load(ordering: .acquiring) }

    /// Cuts the wire, once, when so many more bytes have come from the kernel.
    package func cut(after bytes: Int) { state.left.store(bytes, ordering: .releasing) }

    package func end() {
        state.ended.store(true, ordering: .releasing)
        thread?.join()
        thread = nil
        Glibc.close(listener)
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    private static func run(_ listener: Int32, _ target: UInt16, _ state: State) {
        var pairs: [(near: Int32, far: Int32)] = []
        defer { for pair in pairs { close(pair) } }
        while !state.ended.load(ordering: .acquiring) {
            var watched = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
            for pair in pairs {
                watched.append(pollfd(fd: pair.near, events: Int16(POLLIN), revents: 0))
                watched.append(pollfd(fd: pair.far, events: Int16(POLLIN), revents: 0))
            }
            guard poll(&watched, nfds_t(watched.count), 20) > 0 else { continue }
            for (index, pair) in pairs.enumerated().reversed() {
                let near = watched[1 + 2 * index].revents != 0
                let far = watched[2 + 2 * index].revents != 0
                if near && !copy(pair.near, pair.far, nil) || far && !copy(pair.far, pair.near, state) {
                    close(pair)
                    pairs.remove(at: index)
                }
            }
            if watched[0].revents != 0, let pair = accept(listener, target) { pairs.append(pair) }
        }
    }

    private static func accept(_ listener: Int32, _ target: UInt16) -> (near: Int32, far: Int32)? {
        let near = Glibc.accept(listener, nil, nil)
        guard near >= 0 else { return nil }
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = address(target)
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if connected { return (near, far) }
        close((near, far))
        return nil
    }

    private static func close(_ pair: (near: Int32, far: Int32)) {
        Glibc.close(pair.near)
        Glibc.close(pair.far)
    }

    /// False when the pair is at its end.
    private static func copy(_ from: Int32, _ to: Int32, _ state: State?) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 16 * 1024)
        var count = recv(from, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        var cut = false
        if let state {
            let left = state.left.load(ordering: .acquiring)
            if left >= 0 {
                cut = count >= left
                count = min(count, left)
                state.left.store(cut ? -1 : left - count, ordering: .releasing)
            }
        }
        var offset = 0
        while offset < count {
            let sent = buffer.withUnsafeBytes {
                send(to, $0.baseAddress! + offset, count - offset, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            offset += sent
        }
        if cut { state?.cuts.add(1, ordering: .releasing) }
        return !cut
    }
}
