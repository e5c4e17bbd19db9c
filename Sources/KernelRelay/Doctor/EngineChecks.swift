import CLinux
import Glibc
import Host
import RelayLink

/// From the engine's client down to an answer of its server.
extension Check {
    static let engine: [Check] = [client, context, socket, server]

    static let client = Check("client") { chart in
        let engine = chart.subject.engine
        let program = engine.client.command.first ?? ""
        guard let path = ProgramLookup.find(program, environment: engine.client.environment) else {
            return .bad(
                RelayError(.engineMissing, RelayLink.printable(ClientWords.masked(program))),
                "sudo apt-get install docker.io")
        }
        do throws(RelayError) {
            let answer = try await engine.command(["--version"]).run()
            guard answer.succeeded else {
                return .bad(
                    "\(path) does not tell its version: \(answer.reason)", chart.subject.typed("--version"))
            }
            let version = RelayLink.printable(answer.text.prefix { !$0.isNewline }.description)
            chart.clientVersion = version
            return .good("\(path): \(version)")
        } catch {
            return .bad(error)
        }
    }

    static let context = Check("context", needs: ["client"]) { chart in
        let engine = chart.subject.engine
        let variables = engine.client.environment
        let asked = engine.command([
            "context", "inspect", "--format", "{{.Name}}\t{{.Endpoints.docker.Host}}",
        ])
        let answer = try? await asked.run()
        let told = answer?.succeeded == true ? answer?.text : nil
        if told == nil, let name = variables["DOCKER_CONTEXT"], !name.isEmpty, variables["DOCKER_HOST"] == nil
        {
            return .bad(
                "DOCKER_CONTEXT names \(RelayLink.printable(name)), which the client does not know",
                chart.subject.typed("context", "ls"))
        }
        let endpoint = EngineEndpoint.read(variable: variables["DOCKER_HOST"], answer: told)
        chart.endpoint = endpoint
        return switch endpoint.source {
        case .variable: .good("DOCKER_HOST: \(RelayLink.printable(endpoint.address))")
        case .context(let name):
            .good("\(RelayLink.printable(name)): \(RelayLink.printable(endpoint.address))")
        case .itself: .good("the client knows no contexts")
        }
    }

    static let socket = Check("socket", needs: ["context"]) { chart in
        guard let path = chart.endpoint?.socket else {
            return .skipped("the client does not reach its engine by a Unix socket of this host's")
        }
        let shown = RelayLink.printable(path, limit: 300)
        guard let trouble = trouble(at: path, shown, chart) else {
            return .good("\(shown), and you may use it")
        }
        // A client with rights of its own (`sudo docker`), or in another place than this program, gets through all the same.
        let engine = chart.subject.engine
        let asked = engine.command(["version", "--format", "{{json .Server}}"])
        if let answer = try? await asked.run(within: Tuning.clientAnswers), answer.succeeded {
            return .good("\(shown), which the client may use and you may not")
        }
        return trouble
    }

    /// Why this user, by himself, does not get through to the engine's socket.
    private static func trouble(at path: String, _ shown: String, _ chart: Chart) -> Finding? {
        let start = startOfEngine(chart)
        guard access(path, R_OK | W_OK) == 0 else {
            let number = errno
            guard number == EACCES || number == EPERM else {
                return .bad(RelayError(.engineUnreachable, shown, cause: errorText(number)), start)
            }
            let group = owningGroup(of: path) ?? "docker"
            return .bad(
                RelayError(.engineDenied, shown, cause: errorText(number)),
                "sudo usermod -aG \(ShellWord.quote(group)) \"$USER\" && newgrp \(ShellWord.quote(group))")
        }
        let connected: Int32?
        do throws(HostError) {
            connected = try UnixStream.connect(to: path, waiting: false)
        } catch {
            return .bad(error.message, start, code: error.code.rawValue)
        }
        guard let connected else {
            return .bad(RelayError(.engineUnreachable, "nobody listens at \(shown)"), start)
        }
        close(connected)
        return nil
    }

    private static let usualSocket = "/var/run/docker.sock"

    private static func startOfEngine(_ chart: Chart) -> String {
        guard let endpoint = chart.endpoint, let path = endpoint.socket else {
            return "sudo systemctl start docker"
        }
        // What the variable points to need not be meant, where the usual place has an engine.
        if endpoint.source == .variable, path != usualSocket, access(usualSocket, R_OK | W_OK) == 0 {
            return "unset DOCKER_HOST"
        }
        return path.hasPrefix("/run/user/") ? "systemctl --user start docker" : "sudo systemctl start docker"
    }

    private static func owningGroup(of path: String) -> String? {
        var facts = stat()
        guard stat(path, &facts) == 0, let group = getgrgid(facts.st_gid), facts.st_gid != 0 else {
            return nil
        }
        return String(cString: group.pointee.gr_name)
    }

    static let server = Check("server", needs: ["socket"], limit: Tuning.engineAnswers) { chart in
        let engine = chart.subject.engine
        let began = ContinuousClock.now
        let answer: EngineCommand.Outcome
        do throws(RelayError) {
            answer = try await engine.command(["version", "--format", "{{json .}}"]).run(
                within: Tuning.checkAtMost)
        } catch {
            return .bad(error)
        }
        guard answer.succeeded else {
            let error =
                await engine.unreachable() ?? RelayError(.engineFailed, "version", cause: answer.reason)
            return .bad(error)
        }
        let took = (ContinuousClock.now - began).milliseconds
        // Where client and server are one program, only the first of the two is told.
        let all = (try? JSON(parsing: answer.output))?.fields
        let fields = all?["Server"]?.fields ?? all?["Client"]?.fields ?? [:]
        let version = RelayLink.printable(fields["Version"]?.text ?? "of no version")
        chart.serverVersion = version
        chart.serverArchitecture = fields["Arch"]?.text
        let text = "\(version), answers in \(Int(took)) ms"
        return took < 2000 ? .good(text) : .warning("\(text), which every launch pays several times")
    }
}
