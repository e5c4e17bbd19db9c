import Foundation
import Ground
import Host
import KernelRelay
import Testing

/// `protocol/errors.json` is what others build on; the code must say the same.
@Suite struct ErrorCatalogueTests {
    struct Entry: Codable, Equatable {
        let code: String
        let side: String
        let summary: String
        let remedy: String
        /// What both programs exit with for it; where there is none, relay-shim's is 69 and relayd's goes by the side.
        var exit: Int32?
    }

    @Test func theCodeAgreesWithTheCatalogue() throws {
        let listed = try JSONDecoder().decode([Entry].self, from: Repository.file("protocol/errors.json"))
        let known = ErrorCode.allCases.map {
            Entry(
                code: $0.rawValue, side: $0.entry.side.rawValue, summary: $0.entry.summary,
                remedy: $0.entry.remedy, exit: ExitStatus.of($0.rawValue))
        }
        #expect(listed == known)
        for entry in listed {
            guard let exit = entry.exit else { continue }
            #expect(ErrorCode(rawValue: entry.code)?.exitCode == exit)
        }
    }

    /// A job that is told nothing but the code of the end can tell these apart.
    @Test func whatKeepsAKernelAwayHasACodeOfItsOwn() {
        let codes: [ErrorCode] = [
            .containerMissing, .containerStopped, .containerPaused, .engineMissing, .engineDenied,
        ]
        #expect(Set(codes.map(\.exitCode)).count == codes.count)
    }
}
