import Glibc
import Synchronization

/// Hands out TCP ports that nobody else on this machine is about to bind.
///
/// Concurrency: one lock guards the whole book, so tests that run in parallel in one process never get the same
/// port. Between processes a block of ports is owned by holding an abstract Unix socket named after it: the kernel
/// releases it with the process, however that ends. The ports lie below 32768, where neither Linux's own
/// outgoing connections nor Jupyter's random choices fall.
enum PortBook {
    private static let first = 15_000
    private static let blockSize = 200
    private static let blocks = 88

    private struct State {
        var owned: [Int] = []
        var next = 0
        var limit = 0
    }

    private static let state = Mutex(State())

    static func take(_ count: Int) throws -> [UInt16] {
        try state.withLock { state in
            var ports: [UInt16] = []
            var attempts = 0
            while ports.count < count {
                if state.next == state.limit { try openBlock(&state) }
                attempts += 1
                guard attempts < blocks * blockSize else { throw PeerError("no free port below 32768") }
                let port = UInt16(state.next)
                state.next += 1
                if isFree(port) { ports.append(port) }
            }
            return ports
        }
    }

    private static func openBlock(_ state: inout State) throws {
        let start = Int(getpid()) % blocks
        for step in 0..<blocks {
            let block = (start + step) % blocks
            if !state.owned.contains(block) && claim(block) {
                state.owned.append(block)
                state.next = first + block * blockSize
                state.limit = state.next + blockSize
                return
            }
        }
        // Every block is spoken for: go round our own again, the oldest first.
        guard let block = state.owned.first else { throw PeerError("no block of ports is free") }
        state.owned.removeFirst()
        state.owned.append(block)
        state.next = first + block * blockSize
        state.limit = state.next + blockSize
    }

    /// Binds the block's abstract name; the descriptor stays open until the process ends, on purpose.
    private static func claim(_ block: Int) -> Bool {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let name = Array("fake-jupyter-ports-\(block)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { path in
            for (index, byte) in name.enumerated() { path[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        if bound != 0 { close(descriptor) }
        return bound == 0
    }

    /// Binds as libzmq will (with SO_REUSEADDR), so that a port in TIME_WAIT counts as free and a listening one does not.
    private static func isFree(_ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = 0
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        } == 0
    }
}
