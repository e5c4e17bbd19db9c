import Foundation
import KernelRelay
import Testing

/// `protocol/errors.json` is what others build on; the code must say the same.
@Suite struct ErrorCatalogueTests {
    struct Entry: Codable, Equatable {
        let code: String
        let side: String
        let summary: String
        let remedy: String
    }

    @Test func theCodeAgreesWithTheCatalogue() throws {
        let listed = try JSONDecoder().decode([Entry].self, from: Repository.file("protocol/errors.json"))
        let known = ErrorCode.allCases.map {
            Entry(
                code: $0.rawValue, side: $0.entry.side.rawValue, summary: $0.entry.summary,
                remedy: $0.entry.remedy)
        }
        #expect(listed == known)
    }
}
