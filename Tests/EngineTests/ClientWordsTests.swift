import Host
import KernelRelay
import RelayLink
import Testing

/// What of an engine's client may be shown.
@Suite struct ClientWordsTests {
    private static let words: [(words: [String], expected: [String])] = [
        (["docker"], ["docker"]),
        (["env", "A=planted", "docker"], ["env", "A=...", "docker"]),
        (["/usr/bin/env", "A=planted=b", "docker"], ["/usr/bin/env", "A=...", "docker"]),
        (["sudo", "A=planted", "docker"], ["sudo", "A=...", "docker"]),
        (["A=planted"], ["A=..."]),
        (["sh", "-c", "A=planted docker \"$@\""], ["sh", "-c", "A=..."]),
        (["box", "--env=A=planted", "docker"], ["box", "--env=A=...", "docker"]),
        (["box", "--token=planted", "--password", "planted"], ["box", "--token=...", "--password", "..."]),
        (["docker", "-H", "ssh://u:planted@h/x"], ["docker", "-H", "ssh://...@h/x"]),
        (["docker", "-Htcp://u:plan@ted@h:1"], ["docker", "-Htcp://...@h:1"]),
        (
            ["docker", "--tlscacert=/a/b", "--context", "c"],
            ["docker", "--tlscacert=/a/b", "--context", "c"]
        ),
    ]

    @Test(arguments: words.indices)
    func withoutValues(_ row: Int) {
        let shown = EngineClient(command: Self.words[row].words, environment: [:]).shown
        #expect(shown == Self.words[row].expected)
    }

    @Test func whichEngineIsMeant() {
        func names(_ words: [String], _ environment: [String: String] = [:]) -> Bool {
            EngineClient(command: words, environment: environment).namesEngine
        }
        #expect(!names(["docker"]) && !names(["sudo", "docker"], ["DOCKER_HOST": ""]))
        #expect(names(["docker"], ["DOCKER_CONTEXT": "c"]))
        #expect(names(["env", "DOCKER_HOST=tcp://h", "docker"]) && names(["docker", "-Htcp://h"]))
        #expect(names(["docker", "-H", "h"]) && names(["docker", "--context=c"]))
    }

    /// Whatever fails: neither the client's words nor what it says of them get into an error.
    @Test func errorsHoldNoValue() async throws {
        let clients: [[String]] = [
            ["env", "SECRET=planted", "false"],
            ["env", "SECRET=planted", "/nowhere/client"],
            ["SECRET=planted"],
            ["sh", "-c", "echo \"$0: ssh://u:planted@h\" >&2; exit 1", "SECRET=planted"],
            ["sh", "-c", "sleep 1000", "SECRET=planted"],
        ]
        for words in clients {
            let client = EngineClient(
                command: words, environment: ["PATH": "/usr/bin:/bin", "DOCKER_HOST": "tcp://127.0.0.1:1"])
            let engine = Engine(client, patience: .init(answer: .seconds(1)))
            do throws(RelayError) {
                _ = try await engine.container("c")
                Issue.record("\(words) cannot succeed")
            } catch {
                #expect(error.code.rawValue.hasPrefix("KR-ENGINE"), "\(error)")
                #expect(!"\(error)".contains("planted"), "\(error)")
            }
        }
    }
}
