import KernelRelay
import Testing

/// The names of snapshots. What is in them is looked at with a real engine.
@Suite struct SnapshotTests {
    private static let names: [(String, String)] = [
        ("a", "a:latest"), ("a:1", "a:1"), ("b/a", "b/a:latest"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
        ("localhost:5000/b/a:2", "localhost:5000/b/a:2"),
    ]

    @Test(arguments: names)
    func aNameHasATag(given: String, whole: String) throws {
        #expect(try Snapshot.whole(given) == whole)
    }

    @Test(arguments: ["", "-a", "a:", "a/", "a@sha256:0", "a\0b"])
    func refused(name: String) {
        #expect(throws: RelayError.self) { try Snapshot.whole(name) }
    }

    @Test func theUsualNameIsTheContainersAndTheTime() {
        #expect(Snapshot.usualTag("Dev_1", at: 1_700_000_000) == "kernelrelay-snapshot/dev_1:20231114-221320")
    }
}
