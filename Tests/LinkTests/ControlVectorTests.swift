import Ground
import RelayLink
import Testing

/// `protocol/vectors/control.json`, made from the contract by another hand.
@Suite struct ControlVectorTests {
    struct File: Decodable {
        let messages: [LinkVectorTests.MessageVector]
    }

    static let messages: [LinkVectorTests.MessageVector] = {
        do {
            return try (Repository.decode("protocol/vectors/control.json") as File).messages
        } catch {
            Issue.record("the vectors cannot be read: \(error)")
            return []
        }
    }()

    @Test func thereAreVectors() {
        #expect(Self.messages.count >= 100)
    }

    @Test(arguments: messages)
    func messagesAreUnderstoodOrRefused(_ vector: LinkVectorTests.MessageVector) throws {
        let json = Array(vector.json.utf8)
        do {
            let again =
                switch vector.direction {
                case .request: try ControlRequest(json: json).json
                case .report: try ControlReport(json: json).json
                }
            #expect(String(decoding: again, as: UTF8.self) == vector.canonical)
        } catch {
            #expect(error.code.rawValue == vector.code)
            for secret in ["secret-key", "secret-token", "secret-value"] {
                #expect(!"\(error)".contains(secret), "a secret is never quoted")
            }
        }
    }
}
