import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// A relay between a fake kernel and its clients, each side with a key and ports of its own.
///
/// Everything is ended in reverse order when the rig goes.
final class Rig {
    let front: PeerAddress
    let back: PeerAddress
    let kernel: FakeKernel
    let relay: Relay
    private var clients: [FakeClient] = []

    init(
        front: PeerAddress? = nil, back: PeerAddress? = nil, kernel options: FakeKernel.Options = .init(),
        relay relayOptions: RelayOptions = .init(), startKernel: Bool = true
    ) throws {
        self.front = try front ?? .loopback(key: "the-notebook's-key")
        self.back = try back ?? .loopback(key: "the-kernel's-key")
        kernel = FakeKernel(self.back, options: options)
        if startKernel { try kernel.start() }
        relay = try Relay(front: self.front.info(), back: self.back.info(), options: relayOptions)
    }

    /// A client that has seen its subscription answered.
    func client(settled: Bool = true) throws -> FakeClient {
        let client = try FakeClient(front)
        clients.append(client)
        if settled { try client.settle() }
        return client
    }

    /// Waits until the relay's figures satisfy `done`.
    func wait(
        milliseconds: Int = 5000, until done: (RelayStatistics) -> Bool
    ) -> Bool {
        let deadline = Deadline(milliseconds: milliseconds)
        while !deadline.passed {
            if done(relay.statistics) { return true }
            usleep(2000)
        }
        return done(relay.statistics)
    }

    deinit {
        for client in clients { client.close() }
        relay.stop(listening: .zero)
        kernel.stop()
    }
}

extension PeerAddress {
    func info() throws -> ConnectionInfo {
        try ConnectionInfo(json: Array(connectionFileJSON().utf8))
    }
}
