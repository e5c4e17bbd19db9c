import RelayLink

/// Finds this relayd's gate in a container, or starts one.
struct GateSearch {
    let engine: Engine
    let container: Container
    let user: String?
    let name: String
    let token: String
    /// Those of the link that is sought.
    let streams: GateStreams

    typealias Opened = (gate: OpenGate, welcome: GateReport.Welcome)

    func open(_ ports: [String: UInt16]) async throws(Refusal) -> Opened {
        do throws(Refusal) {
            return try await start(ports)
        } catch {
            // An earlier relayd's gate waits to be joined.
            if error.isGate(.running) { return try await join() }
            throw error
        }
    }

    /// A new link to the gate, in a container that must be running.
    func rejoin() async throws(Refusal) -> Opened {
        _ = try await refusing { () async throws(RelayError) in
            try await engine.runningContainer(container.id)
        }
        return try await join()
    }

    private func join() async throws(Refusal) -> Opened {
        let opened = try await open(joins: true, [:])
        do throws(Refusal) {
            return try (opened, welcome(opened.first))
        } catch {
            opened.channel.close()
            if error.isGate(.token) { throw Refusal(.gateForeign, container.name) }
            throw error
        }
    }

    private func start(_ ports: [String: UInt16]) async throws(Refusal) -> Opened {
        let opened = try await open(joins: false, ports)
        do throws(Refusal) {
            return try (opened, welcome(opened.first))
        } catch {
            do throws(Refusal) {
                guard error.isGate(.portInUse) || error.isGate(.portDenied) else { throw error }
                return (opened, try await sayAgain(to: opened))
            } catch {
                opened.channel.close()
                throw error
            }
        }
    }

    /// Something else in the container holds the exposed ports: most often the gate of another user. One port
    /// of our own serves those routes that need no published one.
    private func sayAgain(to gate: OpenGate) async throws(Refusal) -> GateReport.Welcome {
        var refusal = Refusal(.gateLost, container.name)
        for _ in 0..<Tuning.privatePortAttempts {
            let port = UInt16.random(in: Tuning.privatePorts)
            gate.channel.send(GateRequest.hello(await hello(["shell": port])))
            let timer = Task {
                try? await Task.sleep(for: Tuning.gateAnswers)
                if !Task.isCancelled { gate.channel.close() }
            }
            defer { timer.cancel() }
            guard let frame = await gate.channel.next(), let report = try? GateReport(json: frame.payload)
            else { break }
            do throws(Refusal) { return try welcome(report) } catch { refusal = error }
        }
        throw refusal
    }

    private func open(joins: Bool, _ ports: [String: UInt16]) async throws(Refusal) -> OpenGate {
        let hello = await hello(ports)
        return try await refusing { () async throws(RelayError) in
            try await engine.openGate(
                in: container, user: user, name: name, joins: joins, hello: hello, queue: streams.queue)
        }
    }

    private func hello(_ ports: [String: UInt16]) async -> GateRequest.Hello {
        // A container on the host's network would offer its kernels to the whole neighbourhood.
        GateRequest.Hello(
            token: token, ports: ports, bind: container.usesHostNetwork ? "127.0.0.1" : "0.0.0.0",
            orphanSeconds: OrphanTime.seconds(in: container), streams: await streams.offer())
    }

    private func welcome(_ report: GateReport) throws(Refusal) -> GateReport.Welcome {
        switch report {
        case .welcome(let welcome): return welcome
        case .failed(_, let code, let message, let remedy):
            throw Refusal(code: code, message: message, remedy: remedy)
        default: throw Refusal(.gateSilent, container.name)
        }
    }
}
