import RelayLink

/// One conversation on the control socket: a shim with its kernel, or a person with a question.
///
/// A connection that launched a kernel owns it: its end is the kernel's end.
struct ControlConnection {
    let channel: FrameChannel
    let supervisor: Supervisor
    /// Told to whoever serves when somebody asked relayd to end, after the answer is out.
    let onStopped: @Sendable () -> Void

    func serve() async {
        await supervisor.guestCame()
        var session: KernelSession?
        var telling: Task<Void, Never>?
        while let frame = await channel.next() {
            guard frame.stream == Frame.control else { continue }
            do throws(Refusal) {
                try await answer(request(in: frame), &session, &telling)
            } catch {
                channel.send(error.report(for: nil))
            }
        }
        telling?.cancel()
        await session?.abandon()
        channel.close()
        await supervisor.guestLeft()
    }

    private func request(in frame: Frame) throws(Refusal) -> ControlRequest {
        do throws(GateError) { return try ControlRequest(json: frame.payload) } catch { throw Refusal(error) }
    }

    private func answer(
        _ request: ControlRequest, _ session: inout KernelSession?, _ telling: inout Task<Void, Never>?
    ) async throws(Refusal) {
        switch request {
        case .launch(let number, let launch):
            session = await begin(number, launch, nil, instead: session)
        case .resume(let number, let launch, let keepsake):
            session = await begin(number, launch, keepsake, instead: session)
        case .signal(let number): session?.signal(number)
        case .status(let number, let history):
            let status = await supervisor.status(history: history)
            let parts = StatusParts.split(status)
            for (index, part) in parts.enumerated() {
                channel.send(
                    ControlReport.status(request: number, part, more: index < parts.count - 1))
            }
        case .metrics(let number):
            channel.send(ControlReport.metrics(request: number, text: await supervisor.metrics()))
        case .page(let number, let address):
            do throws(Refusal) {
                channel.send(
                    ControlReport.page(request: number, url: try await supervisor.openPage(at: address)))
            } catch {
                channel.send(error.report(for: number))
            }
        case .connection(let number, let name):
            do throws(Refusal) {
                let (kernel, file) = try await supervisor.connection(of: name)
                let text = String(decoding: file, as: UTF8.self)
                channel.send(ControlReport.connection(request: number, kernel: kernel, file: text))
            } catch {
                channel.send(error.report(for: number))
            }
        case .logs(let number, let wanted):
            telling?.cancel()
            telling = Task { [channel] in
                await LogTelling(channel: channel, ring: Log.ring, request: number, wanted: wanted).run()
            }
        case .stderr(let number, let name):
            do throws(Refusal) {
                let (kernel, tail) = try await supervisor.stderr(of: name)
                let (bytes, before) = tail.content
                channel.send(
                    ControlReport.stderr(request: number, kernel: kernel, data: bytes, before: Int64(before)))
            } catch {
                channel.send(error.report(for: number))
            }
        case .discover(let number, let wish):
            await supervisor.discover(wish)
            channel.send(ControlReport.done(request: number))
        case .end(let number, let name, let grace):
            do throws(Refusal) {
                try await supervisor.end(name, grace: .milliseconds(grace))
                channel.send(ControlReport.done(request: number))
            } catch {
                channel.send(error.report(for: number))
            }
        case .stop(let number, let grace):
            await supervisor.stop(grace: .milliseconds(grace))
            channel.send(ControlReport.done(request: number))
            await channel.flush(within: .seconds(1))
            onStopped()
        }
    }

    /// The session that this connection has from now on.
    private func begin(
        _ number: Int64, _ launch: ControlRequest.Launch, _ keepsake: ControlRequest.Keepsake?,
        instead: KernelSession?
    ) async -> KernelSession? {
        do throws(Refusal) {
            if let instead { throw Refusal(.kernelTaken, "this connection has \(instead.id)") }
            return try await supervisor.begin(launch, keepsake: keepsake, request: number, for: channel)
        } catch {
            channel.send(error.report(for: number))
            return instead
        }
    }
}
