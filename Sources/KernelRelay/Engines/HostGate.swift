import Dispatch
import Glibc
import RelayLink

/// The host itself as a place for kernels: to whoever starts them it is a container that always runs and publishes
/// nothing, with a gate that no engine leads to.
extension Engine {
    /// - Parameter environment: in which the program of the gate is looked for.
    package static func host(_ environment: [String: String]) -> Engine {
        Engine(EngineClient(command: [], environment: environment))
    }

    var isHost: Bool { client.command.isEmpty }

    /// Starts this user's gate on the host, or joins it. It outlives relayd as a container's gate does.
    func openHostGate(
        name: String, joins: Bool, hello: GateRequest.Hello, queue: DispatchQueue?
    ) async throws(RelayError) -> OpenGate {
        let binary = try await GateBinary.find(client.environment)
        let words = [binary.path, "gate", joins ? "--join" : "--apart", "--name", name]
        // Kernels there have their callers' environments, and nothing of relayd's but what finds it.
        let environment = client.environment.filter { $0.key.hasPrefix("KERNELRELAY_") }
        let command = EngineCommand(
            client: .init(command: words, environment: environment), words: [], limit: patience.answer)
        let (ours, theirs) = try Pipe.pair()
        let (process, complaints) = try await command.start(
            stdin: theirs, stdout: theirs, alsoClosing: ours)
        let channel = FrameChannel(ours, queue: queue)
        channel.send(GateRequest.hello(hello))
        let alarm = Task {
            try await Task.sleep(for: patience.gate)
            channel.close()
        }
        defer { alarm.cancel() }
        if let frame = await channel.next(), frame.stream == Frame.control,
            let first = try? GateReport(json: frame.payload)
        {
            return OpenGate(channel: channel, first: first, process: process, complaints: complaints)
        }
        channel.close()
        process.kill()
        let complaint = EngineCommand.line(await complaints.finish().bytes)
        throw RelayError(
            joins ? .gateLost : .gateSilent, Container.host.name, cause: joins ? nil : complaint)
    }
}

extension Container {
    /// Its processes are this one's neighbours, so that they are looked into through its own root.
    package static var host: Container {
        Container(
            id: "host", name: ControlRequest.Launch.host, state: .running, pid: getpid(), image: "", user: "",
            addresses: [], published: [:], binds: [], mounts: [], labels: [:], usesHostNetwork: false,
            isRootReadOnly: false, gateMount: nil, exitCode: 0, failure: "")
    }

    package var isHost: Bool { id == "host" }
}
