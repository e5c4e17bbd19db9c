import CLinux
import Glibc
import RelayLink

/// Whether the gate gets into the container and runs there, and as whom.
extension Check {
    static let gate: [Check] = [gateStarts, user]

    static let gateStarts = Check(
        "gate", needs: ["container", "relay-shim", "architecture"],
        limit: Tuning.gateSpeaks + Tuning.checkAtMost
    ) { chart in
        guard let container = chart.container, let shim = chart.shim else { return .skipped("there is none") }
        let engine = chart.subject.engine
        let began = ContinuousClock.now
        let opened: OpenGate
        do throws(RelayError) {
            // One of the doctor's own, without ports: those of relayd's gate and its kernels are left alone.
            opened = try await engine.openGate(
                in: container, user: chart.subject.user, name: "doctor-\(UInt32.random(in: 0...(.max)))",
                joins: false, hello: .init(token: SigningKey.random().text, lingerSeconds: 1))
        } catch {
            return .bad(error, remedy(for: error, chart))
        }
        let took = (ContinuousClock.now - began).milliseconds
        defer { opened.close() }
        guard case .welcome(let welcome) = opened.first else {
            if case .failed(_, let code, let message, let remedy) = opened.first {
                return .bad(message, remedy, code: code)
            }
            return .bad(
                "the gate does not say welcome: it is of another release",
                "relayd ports  # flags for a new docker run, with this release's gate mounted")
        }
        chart.welcome = welcome
        opened.channel.send(GateRequest.stop(request: 1, graceMilliseconds: 0))
        while await opened.channel.next() != nil {}
        _ = await opened.process.exit(within: Tuning.clientEnds)
        return judge(container, digest: shim, welcome, milliseconds: took)
    }

    private static func judge(
        _ container: Container, digest shim: GateBinary, _ welcome: GateReport.Welcome, milliseconds: Double
    ) -> Finding {
        let text = "answers in \(Int(milliseconds)) ms"
        guard let mount = container.gateMount else {
            return .good("\(text), from a copy at \(GatePath.copy(shim))")
        }
        guard welcome.release == ControlProtocol.release else {
            return .warning(
                "\(text); what is mounted at \(mount) is of release \(RelayLink.printable(welcome.release))")
        }
        return .good("\(text), mounted at \(mount)")
    }

    private static func remedy(for error: RelayError, _ chart: Chart) -> String? {
        switch error.code {
        case .gateReadOnly, .gateCopy: "relayd ports  # flags for a new docker run, with the gate mounted"
        case .gateExec:
            noexecMount(chart.facts?.mounts ?? []).map {
                "mount \($0) with exec on this host, or copy relay-shim elsewhere"
            }
        case .gateUser: chart.subject.typed("exec", chart.container?.name ?? "", "cat", "/etc/passwd")
        case .gateSilent: chart.subject.typed("restart", chart.container?.name ?? "")
        default: nil
        }
    }

    /// The host's file system may forbid what the mount of the gate needs.
    private static func noexecMount(_ mounts: [InspectFacts.MountPoint]) -> String? {
        let source = mounts.first {
            $0.destination == GatePath.mount || $0.destination == GatePath.mountFolder
        }?.source
        guard let source else { return nil }
        var facts = statvfs()
        guard statvfs(source, &facts) == 0, facts.f_flag & 8 != 0 else { return nil }
        return source
    }

    static let user = Check("user", needs: ["gate"]) { chart in
        guard let welcome = chart.welcome else { return .skipped("the gate does not tell") }
        let name = welcome.user.map { RelayLink.printable($0) } ?? "no name"
        let home = welcome.home.map { ", home \(RelayLink.printable($0))" } ?? ""
        return .good(
            "uid \(welcome.uid) (\(name)), gid \(welcome.gid)\(home), starts in \(RelayLink.printable(welcome.cwd ?? "?"))"
        )
    }
}
