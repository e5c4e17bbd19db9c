import Foundation
import KernelRelay
import Testing

/// Kernels that are written together: all of them, or none.
@Suite struct SpecBatchTests {
    private func draft(_ name: String, _ container: String = "dev") -> SpecBatch.Draft {
        .init(name: name, spec: Kernelspec(program: "/s", container: container, displayName: name))
    }

    private func isAsBefore(_ fixture: SpecFixture, _ names: [String]) -> Bool {
        fixture.names(in: fixture.kernels) == names
            && fixture.names(in: "\(fixture.root)/share/jupyter") == (names.isEmpty ? [] : ["kernels"])
    }

    @Test func all() throws {
        let fixture = try SpecFixture()
        let folders = try SpecBatch.write([draft("b"), draft("a")], in: fixture.kernels, replace: false)
        #expect(folders == ["b", "a"].map { "\(fixture.kernels)/\($0)" })
        #expect(isAsBefore(fixture, ["a", "b"]))
        _ = try SpecBatch.write([draft("a", "x"), draft("c", "x")], in: fixture.kernels, replace: true)
        #expect(
            InstalledSpec.all(fixture.folders).map(\.spec.container) == ["x", "dev", "x"])
        #expect(isAsBefore(fixture, ["a", "b", "c"]))
    }

    @Test func orNone() throws {
        let fixture = try SpecFixture()
        _ = try SpecBatch.write([draft("there")], in: fixture.kernels, replace: false)
        try fixture.put(SpecFolderTests.foreign[0], as: "foreign")
        for (last, replace, refusal) in [
            ("there", false, ErrorCode.specExists), ("foreign", true, .specForeign), ("a", true, .specExists),
            ("a/b", true, .specName), ("python3", true, .specName),
        ] {
            let drafts = [draft("a"), draft("b"), draft(last)]
            #expect(
                code { _ = try SpecBatch.write(drafts, in: fixture.kernels, replace: replace) } == refusal)
            #expect(isAsBefore(fixture, ["foreign", "there"]))
        }
    }

    /// What was in its place already when a later one could not be put there: in a folder so deep that a long name makes a
    /// path which Linux does not take, and only a rename finds that out.
    @Test func whatWasDoneIsTakenBack() throws {
        let fixture = try SpecFixture()
        var deep = fixture.root
        while deep.utf8.count < 4030 {
            deep += "/" + String(repeating: "d", count: min(200, 4030 - deep.utf8.count))
        }
        _ = try SpecBatch.write([draft("there")], in: deep, replace: false)
        let drafts = [draft("new"), draft("there", "changed"), draft(String(repeating: "x", count: 80))]
        #expect(code { _ = try SpecBatch.write(drafts, in: deep, replace: true) } == .specFolder)
        #expect(fixture.names(in: deep) == ["there"])
        #expect(InstalledSpec.read("\(deep)/there")?.container == "dev")
    }
}
