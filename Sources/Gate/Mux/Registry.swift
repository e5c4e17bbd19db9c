/// Which kernels there are, and where each channel's socket is.
///
/// Concurrency: confined to the gate's thread.
package final class Registry {
    private var places: [String: [String: SocketName]] = [:]

    package init() {}

    /// - Parameter channels: where each of the five listens, or will.
    package func register(_ kernel: String, at channels: [String: SocketName]) {
        places[kernel] = channels
    }

    package func remove(_ kernel: String) { places[kernel] = nil }

    package func place(of address: Address) -> SocketName? { places[address.kernel]?[address.channel] }

    /// What a connection's user name says: `<kernel-id>/<channel>`.
    package struct Address: Equatable, Sendable {
        package let kernel: String
        package let channel: String

        package init?(_ user: [UInt8]) {
            let parts = user.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            kernel = String(decoding: parts[0], as: UTF8.self)
            channel = String(decoding: parts[1], as: UTF8.self)
        }
    }
}
