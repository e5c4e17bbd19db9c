import Glibc
import Host
import RelayLink

/// A kernel that is started for the sake of one question, by the way that a notebook's takes, and ended again.
package struct TrialKernel {
    /// What must be gone afterwards.
    package struct Remains: Sendable, Equatable {
        package var ports: [UInt16]
        package var connectionFile: String
        /// As relayd calls it; nothing when it was never started.
        package var kernel: String?
        /// Processes of its tree that still lived at its end.
        package var left: Int64?

        package init(ports: [UInt16], connectionFile: String) {
            self.ports = ports
            self.connectionFile = connectionFile
        }
    }

    /// What came of it.
    struct Outcome: Sendable {
        var phases: [Check.Phase] = []
        var route: String?
        var answer: TrialClient.Answer?
        var refusal: Refusal?
        /// The last of what it wrote to stderr.
        var complaint: [UInt8] = []
        var remains: Remains
    }

    let subject: Chart.Subject
    let container: Container
    let folder: RuntimeFolder
    let limit: Duration
    let begun: Begun

    func run() async throws(RelayError) -> Outcome {
        let ports = try HostPorts.choose(Channel.allCases.count)
        let notebook = try ConnectionInfo(
            ports: Dictionary(uniqueKeysWithValues: zip(Channel.allCases, ports.map { Int($0) })),
            key: .random())
        let file = "\(folder.path)/doctor-\(UInt32.random(in: 0...(.max))).json"
        var outcome = Outcome(remains: Remains(ports: ports, connectionFile: file))
        begun.trial = outcome.remains
        try notebook.write(to: file)
        defer { unlink(file) }
        let bell = try WakeUp()
        do throws(HostError) {
            guard let socket = try UnixStream.connect(to: folder.socket, waiting: true) else {
                throw HostError(.relaydAbsent, folder.socket)
            }
            let line = TrialLine(FrameChannel(socket))
            // Its end is the kernel's, whatever happened before.
            defer { line.close() }
            await withTaskCancellationHandler {
                await live(line, bell, notebook, &outcome)
            } onCancel: {
                line.close()
            }
        } catch {
            outcome.refusal = Refusal(error)
        }
        return outcome
    }

    private func live(
        _ line: TrialLine, _ bell: WakeUp, _ notebook: ConnectionInfo, _ outcome: inout Outcome
    ) async {
        let began = ContinuousClock.now
        let wanted = launch(outcome.remains.connectionFile)
        guard let start = await TimeLimit.answer(within: limit, { await line.launch(wanted) }) else {
            outcome.refusal = Refusal(
                .gateSilent, "the kernel was not launched within \(limit.components.seconds) s")
            return
        }
        guard let kernel = start.kernel else {
            outcome.refusal = start.refusal ?? Refusal(HostError(.relaydLost, "while it launched the kernel"))
            return
        }
        outcome.remains.kernel = kernel
        begun.trial = outcome.remains
        let launched = ContinuousClock.now
        let story = Task {
            let whole = await line.rest(of: start)
            bell.ring()
            return whole
        }
        var trouble: TrialClient.Trouble?
        var ending = launched
        do throws(TrialClient.Trouble) {
            let said = try await TrialClient.converse(notebook, bell, by: began + limit)
            outcome.answer = said.answer
            let told = await Self.ask(folder, about: kernel)
            outcome.route = told.route
            outcome.phases = Self.phases(
                told.phases, launch: launched - began, untilReply: said.met - began)
            outcome.phases.append(.init("execute", milliseconds: (said.done - said.met).milliseconds))
            ending = .now
            try await TrialClient.dismiss(notebook, bell)
        } catch {
            trouble = error
        }
        let whole = await end(of: story, line)
        if trouble == nil {
            outcome.phases.append(
                .init("shutdown", milliseconds: (ContinuousClock.now - ending).milliseconds))
        }
        outcome.complaint = whole.complaint
        outcome.remains.left = whole.left
        if outcome.answer == nil { outcome.refusal = explain(trouble, whole) }
    }

    /// A kernel that does not go when it is asked goes with its connection.
    private func end(of story: Task<TrialLine.Story, Never>, _ line: TrialLine) async -> TrialLine.Story {
        if let whole = await TimeLimit.answer(within: Tuning.trialEnds, { await story.value }) {
            return whole
        }
        line.close()
        return await story.value
    }

    private func explain(_ trouble: TrialClient.Trouble?, _ story: TrialLine.Story) -> Refusal {
        switch trouble {
        case .system(let error): Refusal(error)
        case .silent: Refusal(.kernelStart, "it does not answer within \(limit.components.seconds) s")
        case .cancelled, nil: story.refusal ?? Refusal(.kernelStart, "it ended")
        }
    }

    /// The phases that relayd tells of, where it does; what is left until the reply is the kernel's own.
    package static func phases(_ told: [Check.Phase], launch: Duration, untilReply: Duration) -> [Check.Phase]
    {
        let known = told.isEmpty ? [Check.Phase("launch", milliseconds: launch.milliseconds)] : told
        let rest = untilReply.milliseconds - known.reduce(0) { $0 + $1.milliseconds }
        return known + [.init("first reply", milliseconds: max(0, rest))]
    }

    private func launch(_ file: String) -> ControlRequest.Launch {
        ControlRequest.Launch(
            connectionFile: file, container: container.id, engine: subject.engine.client.command,
            engineEnvironment: CallerEnvironment(subject.environment).forEngine, user: subject.user,
            command: subject.command, onFailure: .exit, session: "relayd doctor")
    }

    private static func ask(_ folder: RuntimeFolder, about kernel: String) async -> (
        route: String?, phases: [Check.Phase]
    ) {
        guard let client = try? ControlClient(folder),
            case .status(_, let status, _)? = try? await client.ask(.status(request: 1)),
            let fields = status.fields?["kernels"]?.list?.lazy.compactMap(\.fields).first(where: {
                $0["id"]?.text == kernel
            })
        else { return (nil, []) }
        let phases = fields["launch"]?.fields?["phases"]?.list ?? []
        return (
            fields["route"]?.text,
            phases.compactMap { phase in
                guard let name = phase.fields?["name"]?.text else { return nil }
                return phase.fields?["milliseconds"]?.figure.map {
                    .init(RelayLink.printable(name), milliseconds: $0)
                }
            }
        )
    }
}

extension JSON {
    /// A number of either kind.
    var figure: Double? {
        switch self {
        case .whole(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
