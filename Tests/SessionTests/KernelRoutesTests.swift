import RelayLink
import Testing

@testable import KernelRelay

/// Which ways to a kernel are tried, and in which order.
@Suite struct KernelRoutesTests {
    private let key = SigningKey("0123456789abcdef")
    private let ports: [String: UInt16] = [
        "shell": 10003, "iopub": 10002, "stdin": 10004, "control": 10000, "hb": 10001,
    ]

    private func container(_ change: (inout Container) -> Void = { _ in }) -> Container {
        var container = Container(id: "abc", name: "dev", state: .running)
        container.addresses = ["172.17.0.2"]
        for port in ports.values {
            container.published[port] = [.init(address: "127.0.0.1", port: port + 10000)]
        }
        change(&container)
        return container
    }

    private func routes(
        _ wanted: ControlRequest.Launch.Route, _ container: Container, ports: [String: UInt16]? = nil,
        transport: GateRequest.Launch.Transport = .tcp
    ) -> [KernelRoutes.Candidate] {
        KernelRoutes.candidates(
            wanted, to: .init(connectionFile: "/nowhere/kernel.json", transport: transport), in: container,
            gatePorts: ports ?? self.ports, key: key,
            credentials: .init(kernel: "k", token: String(repeating: "t", count: 32)))
    }

    @Test func theBestComesFirst() {
        #expect(routes(.auto, container()).map(\.route) == [.bridge, .published])
        #expect(routes(.bridge, container()).map(\.route) == [.bridge])
        #expect(routes(.published, container()).map(\.route) == [.published])
        #expect(routes(.line, container()).isEmpty)
    }

    @Test func eachChannelHasThePortThatIsPublishedForIt() throws {
        let address = try #require(routes(.published, container()).first?.address)
        #expect(address.endpoint(.shell) == "tcp://127.0.0.1:20003")
        #expect(address.endpoint(.iopub) == "tcp://127.0.0.1:20002")
        #expect(address.endpoint(.control) == "tcp://127.0.0.1:20000")
    }

    @Test func onePublishedPortServesAll() throws {
        let one = container { $0.published = [10003: [.init(address: "127.0.0.1", port: 7777)]] }
        let address = try #require(routes(.published, one).first?.address)
        for channel in Channel.allCases { #expect(address.endpoint(channel) == "tcp://127.0.0.1:7777") }
    }

    @Test func withoutPortsAndAddressesThereIsNoWay() {
        #expect(
            routes(
                .auto,
                container {
                    $0.published = [:]
                    $0.addresses = []
                }
            ).isEmpty)
        #expect(routes(.auto, container(), ports: [:]).isEmpty)
    }

    @Test func theHostsNetworkNeedsNoPublishing() throws {
        let host = container {
            $0.usesHostNetwork = true
            $0.published = [:]
            $0.addresses = []
        }
        let address = try #require(routes(.auto, host).first)
        #expect(address.route == .published)
        #expect(address.address.endpoint(.hb) == "tcp://127.0.0.1:10001")
    }

    @Test func addressesOfIPv6AreInBrackets() throws {
        let six = container { $0.addresses = ["fd00::2"] }
        let address = try #require(routes(.bridge, six).first?.address)
        #expect(address.endpoint(.shell) == "tcp://[fd00::2]:10003")
    }

    /// A connection file that cannot be read, or is another kernel's, is no line.
    @Test func aLineNeedsTheKernelsOwnFile() {
        #expect(routes(.line, container { $0.pid = 1 }, transport: .ipc).isEmpty)
    }
}
