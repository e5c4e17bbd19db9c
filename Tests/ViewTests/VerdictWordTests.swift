import Foundation
import RelayLink
import Testing

@testable import KernelRelay

@Suite struct VerdictWordTests {
    /// The page's own table, as it stands in its script.
    private static func pageKinds() throws -> [String: String] {
        let page = Fixture.root.deletingLastPathComponent()
            .appending(path: "Sources/KernelRelay/Web/page/page.js")
        let script = String(decoding: try Data(contentsOf: page), as: UTF8.self)
        let table = try #require(script.firstMatch(of: #/const WORDS = \{([^}]*)\}/#)).1
        let pairs = table.matches(of: #/"([a-z-]+)": "([a-z]+)"/#).map { (String($0.1), String($0.2)) }
        return Dictionary(uniqueKeysWithValues: pairs)
    }

    @Test func onePageOneTerminalOneRule() throws {
        let styles: [String: StyledLine.Style] = [
            "good": .good, "busy": .warn, "warn": .warn, "bad": .bad, "dark": .faint,
        ]
        let kinds = try Self.pageKinds()
        #expect(kinds["container-paused"] == "bad" && kinds.count >= 12)
        for (word, kind) in kinds { #expect(VerdictWord.style(word) == styles[kind], "\(word)") }
    }

    @Test func everyWordIsKnown() throws {
        let kinds = try Self.pageKinds()
        for word in KernelVerdict.Word.allCases.map(\.rawValue) + ["ended"] {
            #expect(kinds[word] != nil && VerdictWord.rank(word) >= 0, "\(word)")
        }
    }

    @Test(arguments: [
        ("ended", false), ("ok", false), ("starting", false), ("slow-client", true), ("newer", true),
    ])
    func whatWorries(word: String, worries: Bool) throws {
        let reading = Reading(["kernels": [["id": "a", "verdict": ["word": .string(word)]]]])
        #expect(try #require(reading.kernels.first).verdict.isWorrying == worries)
    }

    /// A word of another release is shown, and is neither good nor bad.
    @Test func aWordThatIsNotKnown() {
        #expect(VerdictWord.style("newer") == .faint && VerdictWord.rank("newer") < 0)
    }
}
