import Foundation
import Ground
import Testing

@testable import KernelRelay

/// Tokens that the next relayd can make again, and that tell nothing of each other.
@Suite struct GateSecretTests {
    private func withFolder(_ use: (String) throws -> Void) throws {
        let scratch = try Scratch()
        try withExtendedLifetime(scratch) { try use(scratch.path) }
    }

    @Test func itStaysInItsFolder() throws {
        try withFolder { folder in
            let one = try GateSecret(folder: folder)
            let other = try GateSecret(folder: folder)
            #expect(try one.token(container: "a", user: "0") == other.token(container: "a", user: "0"))
            #expect(try one.name(user: "0") == other.name(user: "0"))
            let mode = try FileManager.default.attributesOfItem(atPath: folder + "/secret")[.posixPermissions]
            #expect(mode as? Int == 0o600)
        }
    }

    @Test func everyGateHasATokenOfItsOwn() throws {
        try withFolder { folder in
            let secret = try GateSecret(folder: folder)
            let tokens = try [("a", "0"), ("a", "1000"), ("b", "0"), ("a", "0/x")].map {
                try secret.token(container: $0.0, user: $0.1)
            }
            #expect(Set(tokens).count == tokens.count)
            #expect(tokens.allSatisfy { $0.utf8.count == 64 })
            try withFolder { elsewhere in
                let stranger = try GateSecret(folder: elsewhere)
                #expect(try stranger.token(container: "a", user: "0") != tokens[0])
                #expect(try stranger.name(user: "0") != secret.name(user: "0"))
            }
        }
    }

    @Test func aNameFitsAGate() throws {
        try withFolder { folder in
            let name = try GateSecret(folder: folder).name(user: "a strange user / with \"things\"")
            #expect(name.utf8.count <= 32)
            #expect(name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || ($0 | 0x20).isLetterOrDigit })
        }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self)
    }
}
