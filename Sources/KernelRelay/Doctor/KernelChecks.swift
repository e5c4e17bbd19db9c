import Glibc
import Host
import RelayLink

/// The whole way at last: a kernel is started as a notebook's is, computes, and is gone again.
extension Check {
    static let trial: [Check] = [kernel, remains]

    static let kernel = Check(
        "kernel",
        needs: ["libraries", "runtime folder", "relayd", "gate", "routes", "ipykernel"],
        limit: Tuning.trialAtMost + Tuning.trialEnds * 3
    ) { chart in
        guard let container = chart.container, let folder = chart.folder else {
            return .skipped("there is none")
        }
        var phases: [Phase] = []
        do throws(HostError) {
            if chart.status == nil {
                let began = ContinuousClock.now
                try await BriefRelayd.start(chart.subject.environment)
                chart.begun.hasStartedRelayd = true
                phases.append(Phase("relayd", milliseconds: (ContinuousClock.now - began).milliseconds))
            }
        } catch {
            return .bad(error.message, error.remedy, code: error.code.rawValue)
        }
        let trial = TrialKernel(
            subject: chart.subject, container: container, folder: folder, limit: Tuning.trialAtMost,
            begun: chart.begun)
        do throws(RelayError) {
            var outcome = try await trial.run()
            chart.begun.trial = outcome.remains
            outcome.phases = phases + outcome.phases
            let python = chart.python?.executable ?? "python3"
            return judge(
                outcome, Redactor(chart.secrets),
                byHand: chart.subject.typedExec(container.name, [python, "-c", "print(1 + 1)"]))
        } catch {
            return .bad(error)
        }
    }

    /// - Parameter byHand: how to ask the same without a kernel.
    static func judge(_ outcome: TrialKernel.Outcome, _ redactor: Redactor, byHand: String) -> Finding {
        if let refusal = outcome.refusal {
            let lines = redactor.clean(String(decoding: outcome.complaint, as: UTF8.self))
                .split(whereSeparator: \.isNewline).suffix(3).joined(separator: "; ")
            let last = lines.isEmpty ? "" : "; it wrote: \(RelayLink.printable(lines, limit: 600))"
            return .bad(
                refusal.message + last, refusal.remedy, code: refusal.code, phases: outcome.phases)
        }
        let route = outcome.route.map { " by \($0)" } ?? ""
        let said = RelayLink.printable((outcome.answer?.text ?? "").filter { !$0.isNewline }, limit: 60)
        if let failure = outcome.answer?.failure {
            return .bad("reached\(route), and 1+1 fails: \(failure)", byHand, phases: outcome.phases)
        }
        if said.contains("2") { return .good("1+1 = \(said)\(route)", phases: outcome.phases) }
        // Not every language answers so.
        return .warning("reached\(route); to 1+1 it says “\(said)”", phases: outcome.phases)
    }

    static let remains = Check("remains", limit: Tuning.trialEnds * 2) { chart in
        guard let trial = chart.begun.trial, let folder = chart.folder else {
            return .skipped("no kernel was started")
        }
        // A relayd takes a moment to see the end that it has told.
        var left: [Leftover] = []
        for pause in [0, 50, 200, 1000, 3000] {
            try? await Task.sleep(for: .milliseconds(pause))
            left = await leftovers(of: trial, folder)
            if left.isEmpty { break }
        }
        if let finding = judge(left: left, chart.subject) { return finding }
        let text = "nothing is left of it: no process, no port, no file"
        guard chart.begun.hasStartedRelayd else { return .good(text) }
        return await .good(
            text + (BriefRelayd.ended(folder) ? ", no relayd" : "; a notebook uses the relayd"))
    }

    /// What may stay of a kernel on trial.
    package enum Leftover: Sendable, Equatable {
        case port(UInt16)
        case file(String)
        case processes(Int64)
        case kernel(String)
    }

    /// Nothing where nothing is left. What is told to be typed touches nobody else's kernel.
    package static func judge(left: [Leftover], _ subject: Chart.Subject) -> Finding? {
        guard let first = left.first else { return nil }
        let names = left.map { leftover in
            switch leftover {
            case .port(let port): "port \(port)"
            case .file(let path): path
            case .processes(let count): "\(count) processes in the container"
            case .kernel(let kernel): "kernel \(kernel)"
            }
        }
        let remedy =
            switch first {
            case .port(let port): "ss -ltnp 'sport = :\(port)'"
            case .file(let path): "rm \(ShellWord.quote(path))"
            case .processes: subject.typed("top", subject.container ?? "")
            case .kernel(let kernel): "relayd logs \(kernel)"
            }
        return .bad("left behind: \(names.joined(separator: ", "))", remedy)
    }

    private static func leftovers(of trial: TrialKernel.Remains, _ folder: RuntimeFolder) async -> [Leftover]
    {
        var left: [Leftover] = []
        if let count = trial.left, count > 0 { left.append(.processes(count)) }
        if let kernel = trial.kernel, await BriefRelayd.knows(kernel, folder) { left.append(.kernel(kernel)) }
        left += trial.ports.filter { !HostPorts.isFree($0) }.map { .port($0) }
        if access(trial.connectionFile, F_OK) == 0 { left.append(.file(trial.connectionFile)) }
        return left
    }
}

/// A relayd for one kernel's sake, where none runs: it ends by itself as soon as nobody needs it, and so cannot end
/// what a notebook has started on it meanwhile.
enum BriefRelayd {
    static func start(_ environment: [String: String]) async throws(HostError) {
        let asked = EngineCommand(
            client: EngineClient(
                command: ["/proc/self/exe"], environment: CallerEnvironment(environment).forRelayd),
            words: ["start", "--idle", "1"], limit: Tuning.checkAtMost)
        do throws(RelayError) {
            let answer = try await asked.run()
            guard answer.succeeded else { throw RelayError(.system, answer.reason) }
        } catch {
            throw HostError(.relaydStart, error.context)
        }
    }

    static func knows(_ kernel: String, _ folder: RuntimeFolder) async -> Bool {
        guard let client = try? ControlClient(folder),
            case .status(_, let status, _)? = try? await client.ask(.status(request: 1))
        else { return false }
        let kernels = status.fields?["kernels"]?.list ?? []
        return kernels.contains { $0.fields?["id"]?.text == kernel }
    }

    /// Whether it has ended by itself by now; it has not where others have come to use it.
    static func ended(_ folder: RuntimeFolder) async -> Bool {
        for _ in 0..<100 {
            if let lock = try? FileLock(trying: folder.serveLock) {
                withExtendedLifetime(lock) {}
                return true
            }
            try? await Task.sleep(for: .milliseconds(50))
        }
        return false
    }
}
