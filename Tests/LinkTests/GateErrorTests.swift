import Ground
import RelayLink
import Testing

/// `protocol/gate-errors.json` is what others build on; the code must say the same.
@Suite struct GateErrorTests {
    struct Entry: Codable, Equatable {
        let code: String
        let summary: String
        let remedy: String
    }

    @Test func theCodeAgreesWithTheCatalogue() throws {
        let listed: [Entry] = try Repository.decode("protocol/gate-errors.json")
        let known = GateErrorCode.allCases.map {
            Entry(code: $0.rawValue, summary: $0.entry.summary, remedy: $0.entry.remedy)
        }
        #expect(listed == known)
    }

    @Test func everyCodeNamesARemedy() {
        for code in GateErrorCode.allCases {
            #expect(code.rawValue.hasPrefix("KR-GATE-"))
            #expect(code.entry.remedy.hasSuffix("."))
        }
    }
}
