import Ground
import Host
import Shim
import Testing

/// `protocol/host-errors.json` is what others build on; the code must say the same.
@Suite struct HostErrorTests {
    struct Entry: Codable, Equatable {
        let code: String
        let summary: String
        let remedy: String
        var exit: Int32?
    }

    @Test func theCodeAgreesWithTheCatalogue() throws {
        let listed: [Entry] = try Repository.decode("protocol/host-errors.json")
        let known = HostErrorCode.allCases.map {
            Entry(
                code: $0.rawValue, summary: $0.entry.summary, remedy: $0.entry.remedy,
                exit: ExitStatus.of($0.rawValue))
        }
        #expect(listed == known)
    }

    /// What relayd says is the end's reason has the end's code, whichever of the two catalogues it stands in.
    @Test(arguments: ["protocol/errors.json", "protocol/host-errors.json"])
    func theShimExitsAsTheCatalogueSays(_ catalogue: String) throws {
        let listed: [Entry] = try Repository.decode(catalogue)
        for entry in listed {
            let ending = Ending(code: entry.code, message: "", remedy: "")
            #expect(ending.way == .code(entry.exit ?? 69), "\(entry.code)")
        }
    }

    @Test func everyCodeNamesARemedy() {
        for code in HostErrorCode.allCases {
            #expect(code.rawValue.hasPrefix("KR-"))
            #expect(code.entry.remedy.hasSuffix("."))
        }
    }
}
