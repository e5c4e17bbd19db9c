import FakeJupyter
import KernelRelay
import Testing

/// ipykernel 7.2 and later greets each new subscriber; clients wait for that before they send anything.
@Suite struct WelcomeTests {
    private var welcoming: FakeKernel.Options {
        var options = FakeKernel.Options()
        options.sendsWelcome = true
        return options
    }

    @Test func reachesEachSubscriber() throws {
        let rig = try Rig(kernel: welcoming)
        defer { rig.end() }
        for _ in 0..<3 {
            let client = try rig.client(settled: false)
            let welcome = try client.next(
                on: .iopub, timeout: 15_000, where: { $0.type == "iopub_welcome" })
            #expect(welcome != nil)
        }
    }

    @Test func reachesASubscriberThatWasThereBeforeTheKernel() throws {
        let rig = try Rig(kernel: welcoming, startKernel: false)
        defer { rig.end() }
        let client = try rig.client(settled: false)
        #expect(rig.hasSubscribers(1))
        try rig.kernel.start()
        #expect(try client.next(on: .iopub, timeout: 15_000, where: { $0.type == "iopub_welcome" }) != nil)
    }

    @Test func isNotMadeUpForAKernelThatSendsNone() throws {
        let rig = try Rig()
        defer { rig.end() }
        let client = try rig.client()
        let id = try client.request("last_request")
        _ = try client.outputs(of: id, timeout: 15_000)
        #expect(try client.unclaimed(on: .iopub).filter { $0.type == "iopub_welcome" }.isEmpty)
    }
}
