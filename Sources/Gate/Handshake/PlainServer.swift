/// The gate's part of a handshake with a client: ZMTP's PLAIN mechanism (rfc.zeromq.org/spec/24), as server.
///
/// A value that is given bytes and returns what is to be done; it knows no socket, no clock and no token.
package struct PlainServer: Sendable {
    package enum Action: Equatable, Sendable {
        case send([UInt8])
        /// Look up whether these are good, and call `answer`.
        case authenticate(user: [UInt8], password: [UInt8])
        /// The client is through; its metadata is for the kernel. What it sent behind is `surplus`.
        case join(metadata: [UInt8])
        /// Over. The reply, where there is one, tells the peer why.
        case refuse(Refusal, reply: [UInt8])
    }

    private enum State {
        case greeting, hello, deciding, initiate, over
    }

    private var state = State.greeting
    private var buffer: [UInt8] = []

    package static let greeting = Greeting(mechanism: "PLAIN", isServer: true).bytes

    package init() {}

    /// Bytes that came behind the handshake.
    package var surplus: [UInt8] { state == .over ? buffer : [] }

    package mutating func receive(_ bytes: some Collection<UInt8>) -> [Action] {
        buffer += bytes
        return advance()
    }

    /// What was found out about the credentials.
    package mutating func answer(accepted: Bool) -> [Action] {
        guard state == .deciding else { return [] }
        guard accepted else { return [refuse(.credentials)] }
        state = .initiate
        return [.send(Command("WELCOME").bytes)] + advance()
    }

    private mutating func advance() -> [Action] {
        switch state {
        case .greeting: readGreeting()
        case .hello:
            readCommand("HELLO", limit: 6 + 256 + 256) { machine, body in
                guard let (user, rest) = Command.shortText(body[...]),
                    let (password, end) = Command.shortText(rest), end.isEmpty
                else { return machine.refuse(.malformed) }
                machine.state = .deciding
                return .authenticate(user: user, password: password)
            }
        case .initiate:
            readCommand("INITIATE", limit: Tuning.largestMetadata) { machine, body in
                guard Command.isMetadata(body) else { return machine.refuse(.malformed) }
                machine.state = .over
                return .join(metadata: body)
            }
        case .deciding, .over: []
        }
    }

    private mutating func readGreeting() -> [Action] {
        switch Greeting.read(buffer) {
        case .unfinished: return []
        case .wrong(let refusal):
            state = .over
            return [.refuse(refusal, reply: [])]
        case .greeting(let greeting):
            buffer.removeFirst(Greeting.length)
            // Two servers would wait for each other.
            guard greeting.mechanism == "PLAIN", !greeting.isServer else { return [refuse(.mechanism)] }
            state = .hello
            return advance()
        }
    }

    private mutating func readCommand(
        _ name: String, limit: Int, _ accept: (inout PlainServer, [UInt8]) -> Action
    ) -> [Action] {
        switch Command.read(buffer, limit: limit) {
        case .unfinished: return []
        case .wrong(let refusal): return [refuse(refusal)]
        case .command(let command, let length):
            guard command.name == name else { return [refuse(.malformed)] }
            buffer.removeFirst(length)
            return [accept(&self, command.body)]
        }
    }

    /// Ends the handshake, for a reason found here or outside.
    package mutating func refuse(_ refusal: Refusal) -> Action {
        let greeted = state != .greeting || refusal == .mechanism
        state = .over
        let reply = greeted ? refusal.reason.map { Command.error($0).bytes } : nil
        return .refuse(refusal, reply: reply ?? [])
    }
}
