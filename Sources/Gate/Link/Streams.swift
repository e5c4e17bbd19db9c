import Glibc
import RelayLink

/// The streams of the gate's link: connections that come by it instead of by a port, and kernels' ways to the ssh agent
/// on relayd's host.
///
/// A connection by a stream is one end of a socket pair. The multiplexer gets the other, and cannot tell it from one
/// that came by a port.
///
/// Concurrency: confined to the gate's thread.
final class Streams {
    private let loop: EventLoop
    private let table: StreamTable
    private var expiry: EventLoop.Timer?

    /// - Parameter take: gives a connection's other end to the multiplexer, which owns it from then on.
    init(_ loop: EventLoop, take: @escaping (Int32) -> Void) {
        self.loop = loop
        table = StreamTable(
            .gate,
            .init(
                watch: { [loop] in SocketWatch($0, loop, $1) },
                again: { [loop] in loop.again($0) },
                accept: { purpose in
                    // relayd has no agent to offer here.
                    guard purpose == .ports, let (ours, theirs) = Sockets.pair() else { return nil }
                    take(theirs)
                    return (ours, "")
                }))
    }

    var isEmpty: Bool { table.isEmpty }
    var isAttached: Bool { table.isAttached }

    /// What a new link's other end does not have is over; says what there is.
    func keep(_ theirs: StreamOffer) -> StreamOffer {
        table.keep(theirs)
        return table.offer
    }

    func attach(to link: Link, _ theirs: StreamOffer) {
        expiry?.cancel()
        link.streams = table
        table.attach(to: link, theirs)
    }

    /// The link is lost. Another may go on with the streams, if it comes soon.
    func detach(from link: Link) {
        table.detach(from: link)
        expiry?.cancel()
        guard !table.isEmpty else { return }
        expiry = loop.after(Tuning.streamsWait) { [weak self] in self?.table.closeAll() }
    }

    /// A kernel's program has connected to its socket for the agent.
    func openAgent(of kernel: String, _ descriptor: Int32) {
        table.open(.agent(kernel: kernel), descriptor, owner: kernel)
    }

    func close(kernel: String) { table.close(owner: kernel) }

    func closeAll() { table.closeAll() }
}

/// A stream's socket in the gate's loop, which rings at every change.
private final class SocketWatch: StreamWatch {
    private let descriptor: Int32
    private let watch: EventLoop.Watch

    init?(_ descriptor: Int32, _ loop: EventLoop, _ changed: @escaping (Bool, Bool, Bool) -> Void) {
        self.descriptor = descriptor
        do throws(GateError) {
            watch = try loop.watch(descriptor) { events in
                let ended = !events.isDisjoint(with: .ended)
                changed(events.contains(.readable), events.contains(.writable), ended)
            }
        } catch {
            return nil
        }
    }

    func await(read: Bool, write: Bool) {}

    func close() {
        watch.cancel()
        Glibc.close(descriptor)
    }
}
