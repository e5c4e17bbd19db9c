import FakeJupyter
import Glibc
import KernelRelay
import Testing

/// A relay between a fake kernel and its clients, each side with a key and ports of its own.
///
/// Everything is ended in reverse order, by `end` or when the rig goes.
final class Rig {
    let front: PeerAddress
    let back: PeerAddress
    let kernel: FakeKernel
    let relay: Relay
    private var clients: [FakeClient] = []

    /// With `debugFolders` the relay learns where the kernel is after it has bound its front, as relayd's do.
    init(
        front: PeerAddress? = nil, back: PeerAddress? = nil, kernel options: FakeKernel.Options = .init(),
        relay relayOptions: RelayOptions = .init(), startKernel: Bool = true, debugFolders: FolderMap? = nil
    ) throws {
        self.front = try front ?? .loopback(key: "the-notebook's-key")
        self.back = try back ?? .loopback(key: "the-kernel's-key")
        kernel = FakeKernel(self.back, options: options)
        if startKernel { try kernel.start() }
        guard let debugFolders else {
            relay = try Relay(front: self.front.info(), back: self.back.info(), options: relayOptions)
            return
        }
        relay = try Relay(front: self.front.info(), options: relayOptions)
        var address = try KernelAddress(self.back.info())
        address.debugFolders = debugFolders
        try relay.connect(to: address)
    }

    /// A client; a settled one has seen its subscription at work and has nothing on its way.
    func client(
        settled: Bool = true, routingID: String? = nil, iopubHighWaterMark: Int32 = 1000,
        replyHighWaterMark: Int32 = 1000
    ) throws -> FakeClient {
        let client = try FakeClient(
            front, routingID: routingID.map { Array($0.utf8) }, iopubHighWaterMark: iopubHighWaterMark,
            replyHighWaterMark: replyHighWaterMark)
        clients.append(client)
        if settled {
            try client.settle()
            // A slow machine makes it ask more than once; all came in order, so nothing is on its way any more
            // when everything about this one has come, and figures taken from now on are what a test causes.
            let last = try client.ask("settled_request", timeout: 15_000)
            _ = try client.outputs(of: last.parentID, timeout: 15_000)
        }
        return client
    }

    /// Waits until the relay has taken in as many subscriptions: a client knows when it has shaken hands, and only the
    /// relay when it has heard what the client wants.
    func hasSubscribers(_ count: Int) -> Bool { wait { $0[.iopub, .toKernel].messages >= count } }

    /// Waits until the relay's figures satisfy `done`.
    func wait(
        milliseconds: Int = 10_000, until done: (RelayStatistics) -> Bool
    ) -> Bool {
        let deadline = Deadline(milliseconds: milliseconds)
        while !deadline.passed {
            if done(relay.statistics) { return true }
            usleep(2000)
        }
        return done(relay.statistics)
    }

    /// What the kernel writes in front of a message so that it goes to `client`: the relay's name there and the
    /// client's own; on iopub a topic.
    func route(on channel: PeerChannel, to client: FakeClient) throws -> [[UInt8]] {
        if channel == .iopub { return [Array("topic".utf8)] }
        let probe = SignedMessage("probe", session: "probe")
        try client.send(probe, on: channel)
        try #require(kernel.wait(milliseconds: 10_000) { $0.messages(on: channel).last?.id == probe.id })
        return try #require(kernel.record.messages(on: channel).last).identities
    }

    /// Called by `defer`, it also keeps the rig alive to the end of the test.
    func end() {
        for client in clients { client.close() }
        clients = []
        relay.stop(listening: .zero)
        kernel.stop()
    }

    deinit { end() }
}

extension PeerAddress {
    func info() throws -> ConnectionInfo {
        try ConnectionInfo(json: Array(connectionFileJSON().utf8))
    }
}

extension RelayStatistics {
    /// Every lane's drops, those without any left out.
    var drops: [[Rejection: Int]] { lanes.map(\.rejected).filter { !$0.isEmpty } }
}
