import Glibc
import RelayLink

extension Engine {
    /// What a failed command means: that the engine cannot be reached, or, if it can, `code`.
    func explain(_ outcome: EngineCommand.Outcome, _ code: ErrorCode, _ context: String) async -> RelayError {
        await unreachable() ?? RelayError(code, context, cause: outcome.reason)
    }

    /// Why the engine cannot be reached; nothing when it answers.
    func unreachable() async -> RelayError? {
        let asked = command(["version", "--format", "{{json .Server}}"])
        let outcome: EngineCommand.Outcome
        do throws(RelayError) {
            outcome = try await asked.run()
        } catch {
            return error
        }
        // The client alone knows its own version; one that fails did not reach the server.
        if outcome.succeeded { return nil }
        if let socket = await socket(), let number = Self.refusal(of: socket) {
            let isDenied = number == EACCES || number == EPERM
            return RelayError(
                isDenied ? .engineDenied : .engineUnreachable, RelayLink.printable(socket),
                cause: errorText(number))
        }
        return RelayError(.engineUnreachable, asked.name, cause: outcome.reason)
    }

    /// The Unix socket that the client would use, where it is one.
    private func socket() async -> String? {
        var endpoint = client.environment["DOCKER_HOST"] ?? ""
        if endpoint.isEmpty {
            // Answered by the client alone. One that knows no contexts leaves the usual place.
            let asked = command(["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"])
            let answer = try? await asked.run()
            endpoint = answer?.succeeded == true ? answer?.text ?? "" : ""
        }
        if endpoint.isEmpty { return "/var/run/docker.sock" }
        guard endpoint.hasPrefix("unix://") else { return nil }
        return String(endpoint.dropFirst("unix://".count).prefix { !$0.isNewline })
    }

    /// The error number with which the socket turns this user away.
    private static func refusal(of path: String) -> Int32? {
        access(path, R_OK | W_OK) == 0 ? nil : errno
    }
}
