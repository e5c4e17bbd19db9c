import Host
import Testing

/// `protocol/host-errors.json` is what others build on; the code must say the same.
@Suite struct HostErrorTests {
    struct Entry: Codable, Equatable {
        let code: String
        let summary: String
        let remedy: String
    }

    @Test func theCodeAgreesWithTheCatalogue() throws {
        let listed: [Entry] = try Repository.decode("protocol/host-errors.json")
        let known = HostErrorCode.allCases.map {
            Entry(code: $0.rawValue, summary: $0.entry.summary, remedy: $0.entry.remedy)
        }
        #expect(listed == known)
    }

    @Test func everyCodeNamesARemedy() {
        for code in HostErrorCode.allCases {
            #expect(code.rawValue.hasPrefix("KR-"))
            #expect(code.entry.remedy.hasSuffix("."))
        }
    }
}
