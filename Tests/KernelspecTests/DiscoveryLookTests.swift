import Foundation
import KernelRelay
import Testing

/// What discovery makes of the engine's answers. A shell script stands for its client.
@Suite struct DiscoveryLookTests {
    private let fixture: SpecFixture
    private let discovery: Discovery
    private let client: [String]

    init() throws {
        fixture = try SpecFixture()
        try FileManager.default.createDirectory(atPath: fixture.kernels, withIntermediateDirectories: true)
        // The events ring once, when the file `ring` is there; a container that is `broken` cannot be looked at.
        let script = """
            cd \(fixture.root)
            case "$1" in
            version) echo '{}';;
            events) while [ ! -e ring ]; do sleep 0.02; done; echo start; exec sleep 1000;;
            ps) cat ids;;
            inspect)
                [ "$4" = "$(cat broken)" ] && exit 1
                [ -e "$(echo "$4" | cut -d_ -f1).json" ] || { echo '[]'; exit 1; }
                sed "s/ID/$4/g" "$(echo "$4" | cut -d_ -f1).json";;
            esac
            """
        client = ["sh", "\(fixture.root)/the client"]
        try script.write(toFile: client[1], atomically: true, encoding: .utf8)
        discovery = Discovery(
            // Any program does for the shim that is written down.
            engine: Engine(
                .init(command: client, environment: ["PATH": "/usr/bin:/bin", "KERNELRELAY_SHIM": "/bin/sh"])),
            shelf: .init(kernels: fixture.kernels, runtime: fixture.root))
        try put("", "broken")
        try put(record("\"\(Labels.displayName)\": \"ID\""), "one.json")
        try put(
            record("\"\(Labels.displayName)\": \"ID\", \"\(Labels.madeForKernel)\": \"k\""), "taken.json")
    }

    private func record(_ labels: String) -> String {
        "[{\"Id\": \"ID\", \"Name\": \"/ID\", \"State\": {\"Status\": \"running\"}, "
            + "\"Config\": {\"Labels\": {\(labels)}}}]"
    }

    private func put(_ text: String, _ name: String) throws {
        try text.write(toFile: "\(fixture.root)/\(name)", atomically: true, encoding: .utf8)
    }

    private var shown: [String] { fixture.names(in: fixture.kernels) }

    /// - Parameter body: what happens while discovery runs.
    private func discovering(_ body: () async throws -> Void) async throws {
        let life = Task { [discovery] in await discovery.run() }
        do { try await body() } catch { Issue.record(error) }
        life.cancel()
        await life.value
        #expect(shown == [])
    }

    private func until(_ comment: Comment, _ isSo: () async -> Bool) async throws {
        for _ in 0..<2000 {
            if await isSo() { return }
            try await Task.sleep(for: .milliseconds(10))
        }
        Issue.record(comment)
    }

    /// An inspect that fails says nothing of whether the container runs.
    @Test func oneThatCannotBeLookedAtStays() async throws {
        // The second went between the two questions, which is no trouble.
        try put("one_a\ngone\n", "ids")
        try await discovering {
            try await until("shown") { await discovery.count == 1 }
            #expect(shown == ["discovered-one_a"])
            try put("one_a", "broken")
            try put("one_b\none_a\n", "ids")
            try put("", "ring")
            try await until("in trouble") { await discovery.trouble?.code == .engineFailed }
            // Nor does it hold up others.
            #expect(shown == ["discovered-one_a", "discovered-one_b"])
            try put("", "broken")
            try await until("over") { await discovery.trouble == nil }
            #expect(shown == ["discovered-one_a", "discovered-one_b"])
        }
    }

    /// Those that are not shown take nobody's place.
    @Test func theNumberIsOfThoseThatAreShown() async throws {
        let older = (1...Tuning.mostDiscovered).map { "taken_\($0)" }
        try put((["one_a"] + older).joined(separator: "\n"), "ids")
        try await discovering {
            try await until("shown") { await discovery.count == 1 }
            #expect(shown == ["discovered-one_a"])
        }
        let many = (1...Tuning.mostDiscovered + 1).reversed().map { "one_\($0)" }
        try put(many.joined(separator: "\n"), "ids")
        try await discovering {
            try await until("as many as may") { await discovery.count == Tuning.mostDiscovered }
            #expect(shown.count == Tuning.mostDiscovered)
            #expect(!shown.contains("discovered-\(many[0])"))
        }
    }

    /// The kernel asks the engine by which it was found.
    @Test func theClientIsTheOneThatFoundIt() async throws {
        try put("one_a\n", "ids")
        try await discovering {
            try await until("shown") { await discovery.count == 1 }
            let spec = InstalledSpec.read("\(fixture.kernels)/discovered-one_a")
            #expect(spec?.options == ["--docker", "sh '\(client[1])'"])
        }
    }
}
