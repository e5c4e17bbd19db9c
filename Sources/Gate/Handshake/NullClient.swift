/// The gate's part of a handshake with a kernel: the NULL mechanism, as whoever connects.
package struct NullClient: Sendable {
    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// The kernel is through. This READY, and what came behind it, is for the client.
        case joined(ready: [UInt8])
        case refuse(Refusal)
    }

    private enum State {
        case greeting, ready, over
    }

    private var state = State.greeting
    private var buffer: [UInt8] = []
    private let metadata: [UInt8]

    package static let greeting = Greeting(mechanism: "NULL", isServer: false).bytes

    /// - Parameter metadata: the client's, as it was.
    package init(metadata: [UInt8]) { self.metadata = metadata }

    /// Bytes that came behind the handshake.
    package var surplus: [UInt8] { state == .over ? buffer : [] }

    package mutating func receive(_ bytes: some Collection<UInt8>) -> [Action] {
        buffer += bytes
        switch state {
        case .greeting: return readGreeting()
        case .ready: return readReady()
        case .over: return []
        }
    }

    private mutating func readGreeting() -> [Action] {
        switch Greeting.read(buffer) {
        case .unfinished: return []
        case .wrong: return [refuse()]
        case .greeting(let greeting):
            buffer.removeFirst(Greeting.length)
            guard greeting.mechanism == "NULL" else { return [refuse()] }
            state = .ready
            return [.send(Command("READY", metadata).bytes)] + readReady()
        }
    }

    private mutating func readReady() -> [Action] {
        switch Command.read(buffer, limit: Tuning.largestMetadata) {
        case .unfinished: return []
        case .wrong: return [refuse()]
        case .command(let command, let length):
            guard command.name == "READY", Command.isMetadata(command.body) else { return [refuse()] }
            let ready = Array(buffer.prefix(length))
            buffer.removeFirst(length)
            state = .over
            return [.joined(ready: ready)]
        }
    }

    private mutating func refuse() -> Action {
        state = .over
        return .refuse(.kernelRefused)
    }
}
