import FakeJupyter
import Foundation
import Gate
import Glibc
import Ground
import RelayLink
import Testing

/// A real ipykernel behind the real binary. Skipped where none is installed.
@Suite(.serialized) struct RealKernelTests {
    static let python: String? = {
        let own = ProcessInfo.processInfo.environment["KERNELRELAY_PYTHON"]
        return [own, Repository.path(".build/venvs/main/bin/python")].compactMap { $0 }
            .first { access($0, X_OK) == 0 }
    }()

    @Test(.enabled(if: python != nil), arguments: [GateRequest.Launch.Transport.ipc, .tcp])
    func aCellRuns(transport: GateRequest.Launch.Transport) throws {
        let gate = try GateProcess()
        let ports = try MuxRig.freePorts(5)
        let names = PeerChannel.allCases.map(\.rawValue)
        _ = try gate.hello(ports: Dictionary(uniqueKeysWithValues: zip(names, ports)))
        let launch = GateRequest.Launch(
            kernel: "py",
            argv: [try #require(Self.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            transport: transport, key: "a-key")
        try gate.spawn(launch)
        var address = PeerAddress(
            ip: "127.0.0.1", ports: Dictionary(uniqueKeysWithValues: zip(PeerChannel.allCases, ports)),
            key: "a-key")
        address.plain = .init(userPrefix: "py", password: GateProcess.token)
        let client = try FakeClient(address)
        _ = try client.reply(to: client.request("kernel_info_request"), timeout: 30_000)
        try client.settle()
        func cell(_ code: String) -> String {
            "{\"code\": \(JSONText.quoted(code)), \"silent\": false, \"store_history\": true, "
                + #""user_expressions": {}, "allow_stdin": false, "stop_on_error": true}"#
        }
        let id = try client.request("execute_request", content: cell("import os; print(6 * 7, os.getppid())"))
        #expect(try client.reply(to: id).contentText.contains(#""status": "ok""#))
        let outputs = try client.outputs(of: id)
        #expect(outputs.contains { $0.contentText.contains("42 \(gate.pid)") })
        #expect(try client.ping())
        // Interrupted as Ctrl-C does. In pieces: a signal just before a sleep begins is only seen when that has ended.
        let sleeps = "import time; print('begun', flush=True)\nfor _ in range(600): time.sleep(0.1)"
        let long = try client.request("execute_request", content: cell(sleeps))
        let begun = try client.next(on: .iopub, timeout: 15_000) {
            $0.parentID == long && $0.type == "stream"
        }
        #expect(begun != nil)
        gate.send(.signal(request: gate.number(), kernel: "py", number: SIGINT, to: .group))
        #expect(try client.reply(to: long).contentText.contains("KeyboardInterrupt"))
        // Its last word arrives, and then it is gone.
        let shutdown = try client.request(
            "shutdown_request", content: #"{"restart": false}"#, on: .control)
        #expect(try client.reply(to: shutdown, on: .control).type == "shutdown_reply")
        let exit = try gate.exit(of: "py")
        #expect(exit.cause == .code(0) && exit.left == 0)
        client.close()
        #expect(try gate.stop() == 0)
    }
}
