import Gate
import Ground
import Testing

/// `protocol/vectors/gate-handshake.json`: every way in which a connection may open, and what the gate does.
@Suite struct HandshakeVectorTests {
    struct File: Decodable {
        let token: String
        let known: String
        let plainGreeting: String
        let nullGreeting: String
        let client: [Vector]
        let kernel: [Vector]
    }
    struct Vector: Decodable, CustomTestStringConvertible {
        struct Action: Decodable, Equatable {
            var send: String?
            var authenticate: [String]?
            var join: String?
            var joined: String?
            var refuse: String?
            var reply: String?
        }
        let name: String
        let metadata: String?
        let bytes: String
        let actions: [Action]
        let surplus: String
        var testDescription: String { name }
    }

    static let file: File? = {
        do {
            return try Repository.decode("protocol/vectors/gate-handshake.json") as File
        } catch {
            Issue.record("the vectors cannot be read: \(error)")
            return nil
        }
    }()
    static var client: [Vector] { file?.client ?? [] }
    static var kernel: [Vector] { file?.kernel ?? [] }

    @Test func theGreetingsAreTheSpecifications() throws {
        let file = try #require(Self.file)
        #expect(PlainServer.greeting == unhex(file.plainGreeting))
        #expect(NullClient.greeting == unhex(file.nullGreeting))
        #expect(file.client.count >= 50 && file.kernel.count >= 12)
    }

    @Test(arguments: client, [1, 7, 1 << 20])
    func theClientsSide(_ vector: Vector, pieceLength: Int) throws {
        let file = try #require(Self.file)
        let token = Token(file.token)
        let registry = Registry()
        registry.register(file.known, at: ["shell": SocketName(path: "/x"), "hb": SocketName(path: "/y")])
        var server = PlainServer()
        var seen: [Vector.Action] = []
        func note(_ actions: [PlainServer.Action]) {
            for action in actions {
                switch action {
                case .send(let bytes): seen.append(.init(send: hex(bytes)))
                case .join(let metadata): seen.append(.init(join: hex(metadata)))
                case .refuse(let refusal, let reply):
                    seen.append(.init(refuse: refusal.rawValue, reply: hex(reply)))
                case .authenticate(let user, let password):
                    seen.append(.init(authenticate: [hex(user), hex(password)]))
                    let isKnown = Registry.Address(user).map { registry.place(of: $0) != nil } ?? false
                    note(server.answer(accepted: isKnown && token.matches(password)))
                }
            }
        }
        for piece in pieces(of: unhex(vector.bytes), pieceLength) { note(server.receive(piece)) }
        #expect(seen == vector.actions)
        if seen.last?.refuse == nil { #expect(hex(server.surplus) == vector.surplus) }
    }

    @Test(arguments: kernel, [1, 7, 1 << 20])
    func theKernelsSide(_ vector: Vector, pieceLength: Int) {
        var client = NullClient(metadata: unhex(vector.metadata ?? ""))
        var seen: [Vector.Action] = []
        for piece in pieces(of: unhex(vector.bytes), pieceLength) {
            for action in client.receive(piece) {
                switch action {
                case .send(let bytes): seen.append(.init(send: hex(bytes)))
                case .joined(let ready): seen.append(.init(joined: hex(ready)))
                case .refuse(let refusal): seen.append(.init(refuse: refusal.rawValue))
                }
            }
        }
        #expect(seen == vector.actions)
        if seen.last?.refuse == nil { #expect(hex(client.surplus) == vector.surplus) }
    }

    @Test func randomBytesNeverTrap() {
        var state: UInt64 = 99
        func random() -> UInt8 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
        for vector in Self.client + Self.kernel {
            for _ in 0..<40 {
                var bytes = unhex(vector.bytes)
                for _ in 0..<3 where !bytes.isEmpty { bytes[Int(random()) % bytes.count] = random() }
                var server = PlainServer()
                for action in server.receive(bytes) {
                    if case .authenticate = action { _ = server.answer(accepted: true) }
                }
                var client = NullClient(metadata: [])
                _ = client.receive(bytes)
            }
        }
    }

    private func pieces(of bytes: [UInt8], _ length: Int) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count, by: length).map { bytes[$0..<min($0 + length, bytes.count)] }
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
