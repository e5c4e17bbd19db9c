import Glibc
import RelayLink

/// The ports: takes connections, and leads each to the kernel and the channel that it names.
///
/// Concurrency: confined to the gate's thread.
package final class Multiplexer {
    let loop: EventLoop
    package let registry: Registry
    let scratch = Scratch()
    private let token: Token
    let strangerDeadline: Duration
    let kernelDeadline: Duration
    private var listeners: [(descriptor: Int32, watch: EventLoop.Watch)] = []
    private var connections: [ObjectIdentifier: Connection] = [:]
    /// In the order in which they came.
    private var strangers: [Connection] = []
    private var waiting: [Connection] = []
    private var isRetrying = false
    private var figures: [String: Int64] = [:]

    package init(
        _ loop: EventLoop, registry: Registry, token: Token,
        strangerDeadline: Duration = Tuning.strangerDeadline,
        kernelDeadline: Duration = Tuning.kernelDeadline
    ) {
        self.strangerDeadline = strangerDeadline
        self.kernelDeadline = kernelDeadline
        self.loop = loop
        self.registry = registry
        self.token = token
    }

    /// Binds every port once, however many channels name it; all or none.
    package func listen(on ports: Set<UInt16>, address: String) throws(GateError) {
        do throws(GateError) {
            for port in ports.sorted() { try add(Sockets.listen(address, port: port)) }
        } catch {
            closeListeners()
            throw error
        }
    }

    /// The ports that are bound.
    package var ports: [UInt16] { listeners.compactMap { Sockets.localPort(of: $0.descriptor) } }

    private func add(_ listener: Int32) throws(GateError) {
        do throws(GateError) {
            let watch = try loop.watch(listener, .readable) { [weak self] _ in self?.accept(listener) }
            listeners.append((listener, watch))
        } catch {
            Glibc.close(listener)
            throw error
        }
    }

    private func closeListeners() {
        for (descriptor, watch) in listeners {
            watch.cancel()
            Glibc.close(descriptor)
        }
        listeners = []
    }

    private func accept(_ listener: Int32) {
        guard listeners.contains(where: { $0.descriptor == listener }) else { return }
        for _ in 0..<Tuning.mostStrangers {
            switch Sockets.accept(from: listener) {
            case .none: return
            case .accepted(let descriptor):
                Sockets.tune(descriptor)
                take(descriptor)
            case .exhausted:
                count("exhausted")
                // The oldest stranger's place is the newcomer's. With no stranger there is nothing to give.
                if let oldest = strangers.first {
                    oldest.refuse(.crowd)
                    oldest.close()
                    continue
                }
                loop.after(.milliseconds(100)) { [weak self] in self?.accept(listener) }
                return
            }
        }
        loop.again { [weak self] in self?.accept(listener) }
    }

    /// Takes over a connection from outside, by whatever way it came.
    package func take(_ descriptor: Int32) {
        count("accepted")
        if strangers.count >= Tuning.mostStrangers, let oldest = strangers.first {
            oldest.refuse(.crowd)
            oldest.close()
        }
        let connection = Connection(descriptor, in: self)
        connections[ObjectIdentifier(connection)] = connection
        strangers.append(connection)
        connection.start()
    }

    // MARK: - What connections tell

    /// The kernel and channel of good credentials. What is wrong with bad ones makes no difference, not in
    /// the answer and not in the time that it takes.
    func admit(user: [UInt8], password: [UInt8]) -> Registry.Address? {
        let address = Registry.Address(user)
        let isKnown = address.map { registry.place(of: $0) != nil } ?? false
        let isRight = token.matches(password)
        return isKnown && isRight ? address : nil
    }

    func becameGuest(_ connection: Connection) { strangers.removeAll { $0 === connection } }

    func joined(_ connection: Connection) { count("joined") }

    func wait(_ connection: Connection) {
        waiting.append(connection)
        guard !isRetrying else { return }
        isRetrying = true
        loop.after(Tuning.kernelRetry) { [weak self] in
            guard let self else { return }
            isRetrying = false
            let due = waiting.filter { $0.phase == .waiting }
            waiting = []
            for connection in due { connection.dial() }
        }
    }

    func closed(_ connection: Connection, toKernel: Int64, toClient: Int64) {
        connections[ObjectIdentifier(connection)] = nil
        becameGuest(connection)
        waiting.removeAll { $0 === connection }
        count("bytesToKernel", toKernel)
        count("bytesToClient", toClient)
    }

    func count(_ refusal: Refusal) { count("refused.\(refusal.rawValue)") }

    private func count(_ name: String, _ amount: Int64 = 1) { figures[name, default: 0] += amount }

    // MARK: - What the gate asks

    package var counters: [String: Int64] {
        figures.merging(["strangers": Int64(strangers.count), "open": Int64(connections.count)]) { $1 }
    }

    /// Connections that are joined to a kernel now.
    package func connections(to kernel: String) -> Int64 {
        Int64(connections.values.count { $0.address?.kernel == kernel && $0.phase == .flowing })
    }

    /// Whether somebody is connected to a kernel by a port: that goes on without a link, and ends with whoever it is.
    package var isReached: Bool { connections.values.contains { $0.phase == .flowing && $0.cameByPort } }

    /// The kernel has gone. What it said last is still delivered; who waits for it waits in vain.
    package func kernelEnded(_ kernel: String) {
        registry.remove(kernel)
        for connection in connections.values where connection.address?.kernel == kernel {
            if connection.phase == .flowing {
                connection.expectEnd()
            } else {
                connection.refuse(.kernelEnded)
            }
        }
    }

    /// Whether bytes that kernels have said may still be on their way to clients.
    package var isDelivering: Bool { connections.values.contains { $0.phase == .flowing } }

    package func close() {
        closeListeners()
        for connection in connections.values { connection.close() }
    }
}
