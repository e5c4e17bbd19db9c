import Glibc
import Ground
import RelayLink
import Testing

@testable import KernelRelay

/// Whether the engine's socket may be used, by this user or by his client.
@Suite struct SocketCheckTests {
    private let folder: Scratch
    init() throws { folder = try Scratch() }

    private func finding(_ script: String, mode: Int? = nil) async throws -> Check.Finding {
        let client = try folder.write("client", script)
        let socket = try mode.map { try folder.write("docker.sock", "", mode: $0) } ?? "/nowhere/docker.sock"
        var chart = Chart(
            .init(
                engine: Engine(
                    EngineClient(command: ["sh", client], environment: ["PATH": "/usr/bin:/bin"])),
                environment: [:]))
        chart.endpoint = .read(variable: "unix://\(socket)", answer: nil)
        return await Check.socket.run(&chart)
    }

    private static let answers = "[ \"$1\" = version ] && echo '{}'"

    /// `--docker 'sudo docker'`: the client may, and this user need not.
    @Test func aClientWithRightsOfItsOwn() async throws {
        let found = try await finding(Self.answers)
        #expect(found.mark == .good && found.text.contains("the client may use"))
    }

    @Test(.enabled(if: geteuid() != 0, "root is denied nothing"))
    func aSocketThatIsAnothers() async throws {
        #expect(try await finding(Self.answers, mode: 0).mark == .good)
        let denied = try await finding("exit 1", mode: 0)
        #expect(denied.code == "KR-ENGINE-DENIED" && denied.remedy?.hasPrefix("sudo usermod -aG") == true)
    }

    @Test func aClientThatDoesNotGetThroughEither() async throws {
        let found = try await finding("exit 1")
        #expect(found.mark == .bad && found.code == "KR-ENGINE-UNREACHABLE")
        #expect(found.remedy?.contains("systemctl") == true || found.remedy == "unset DOCKER_HOST")
    }
}
