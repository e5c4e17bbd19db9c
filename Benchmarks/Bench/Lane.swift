import FakeJupyter
import Glibc

/// One contestant with a kernel behind it and a client in front, alive for the whole run so that measures can go
/// round from lane to lane in short turns: noise then falls on all of them alike.
///
/// Kernel and client are threads of one process, each with a libzmq context of its own, and speak through loopback
/// sockets as two processes would. On two cores that distorts least: nobody has to pass counts and clocks between
/// processes, and while one lane is measured the other lanes' threads all sleep in poll.
final class Lane {
    static let clientKey = "c11e27-front-key-of-the-notebook"
    static let kernelKey = "be72e1-back-key-of-the-kernel-----"

    let contestant: Contestant
    let kernel: KernelSide
    let client: ClientSide
    let child: ChildProcess?
    var clientKey: String { contestant.signsAnew ? Lane.clientKey : Lane.kernelKey }

    init(_ contestant: Contestant, _ places: Places, as name: String? = nil) throws {
        self.contestant = contestant
        let back = try PeerAddress.loopback(key: Lane.kernelKey)
        var front = back
        if contestant != .direct {
            front = try PeerAddress.loopback(key: contestant.signsAnew ? Lane.clientKey : Lane.kernelKey)
        }
        kernel = try KernelSide(back)
        child = try contestant.start(front: front, back: back, places, as: name)
        client = try ClientSide(front)
        try warmUp(front)
    }

    /// Both ways work, what is published reaches the client, and its signature is right under the client's key.
    private func warmUp(_ front: PeerAddress) throws {
        let requests = MessagePool(count: 16, key: front.key, total: 200)
        for index in 0..<16 { _ = try client.roundTrip(requests, index) }
        for index in 0..<16 { _ = try client.roundTrip(requests, index, control: true) }
        for _ in 0..<16 { _ = try client.ping() }
        try kernel.awaitSubscription(milliseconds: 5000)
        let probes = MessagePool(count: 200, key: Lane.kernelKey, topic: "stream", total: 300)
        var arrived: [[UInt8]]?
        for _ in 0..<100 where arrived == nil {
            kernel.publish(probes, count: 1, BurstRun())
            arrived = client.nextPublished(milliseconds: 50)
        }
        guard let frames = arrived, let message = SignedMessage(frames: frames) else {
            throw BenchError("\(contestant.rawValue): nothing that was published arrived")
        }
        guard message.verifies(for: front) else {
            throw BenchError("\(contestant.rawValue): a published message came with a wrong signature")
        }
        while client.nextPublished(milliseconds: 100) != nil {}
    }

    /// Ends the hop; what it said last is returned, counters in the relay's case.
    @discardableResult
    func close() -> String {
        client.close()
        let words = child?.end(politeSignal: contestant == .tcp ? SIGTERM : nil)
        kernel.close()
        return words ?? ""
    }
}
