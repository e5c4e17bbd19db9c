import RelayLink
import Testing

@testable import KernelRelay

/// Which ways to a kernel are tried, and in which order.
@Suite struct KernelRoutesTests {
    private let key = SigningKey("0123456789abcdef")
    private let ports: [String: UInt16] = [
        "shell": 10003, "iopub": 10002, "stdin": 10004, "control": 10000, "hb": 10001,
    ]

    private func container(_ change: (inout Container) -> Void = { _ in }) throws -> Container {
        let id = String(repeating: "ab", count: 32)
        let answer = #"[{"Id": "\#(id)", "Name": "/dev", "State": {"Status": "running", "Running": true}}]"#
        var container = try Container(inspect: Array(answer.utf8))
        container.addresses = ["172.17.0.2"]
        for port in ports.values {
            container.published[port] = [.init(address: "127.0.0.1", port: port + 10000)]
        }
        change(&container)
        return container
    }

    private func routes(
        _ wanted: ControlRequest.Launch.Route, _ container: Container, ports: [String: UInt16]? = nil,
        transport: GateRequest.Launch.Transport = .tcp, tunnel: String? = nil
    ) -> [KernelRoutes.Candidate] {
        KernelRoutes.candidates(
            wanted, to: .init(connectionFile: "/nowhere/kernel.json", transport: transport), in: container,
            gatePorts: ports ?? self.ports, tunnel: tunnel, key: key,
            credentials: .init(kernel: "k", token: String(repeating: "t", count: 32)))
    }

    @Test func theBestComesFirst() throws {
        #expect(try routes(.auto, container()).map(\.route) == [.bridge, .published])
        #expect(try routes(.bridge, container()).map(\.route) == [.bridge])
        #expect(try routes(.published, container()).map(\.route) == [.published])
        #expect(try routes(.line, container()).isEmpty)
    }

    @Test func eachChannelHasThePortThatIsPublishedForIt() throws {
        let address = try #require(try routes(.published, container()).first?.address)
        #expect(address.endpoint(.shell) == "tcp://127.0.0.1:20003")
        #expect(address.endpoint(.iopub) == "tcp://127.0.0.1:20002")
        #expect(address.endpoint(.control) == "tcp://127.0.0.1:20000")
    }

    @Test func onePublishedPortServesAll() throws {
        let one = try container { $0.published = [10003: [.init(address: "127.0.0.1", port: 7777)]] }
        let address = try #require(routes(.published, one).first?.address)
        for channel in Channel.allCases { #expect(address.endpoint(channel) == "tcp://127.0.0.1:7777") }
    }

    @Test func withoutPortsAndAddressesThereIsNoWay() throws {
        let alone = try container {
            $0.published = [:]
            $0.addresses = []
        }
        #expect(routes(.auto, alone).isEmpty)
        #expect(try routes(.auto, container(), ports: [:]).isEmpty)
    }

    @Test func aTunnelIsTheLastWayAndServesAllChannels() throws {
        #expect(
            try routes(.auto, container(), tunnel: "ipc:///t").map(\.route) == [.bridge, .published, .tunnel])
        let address = try #require(try routes(.tunnel, container(), tunnel: "ipc:///t").first)
        #expect(address.route == .tunnel)
        for channel in Channel.allCases { #expect(address.address.endpoint(channel) == "ipc:///t") }
        #expect(try routes(.bridge, container(), tunnel: "ipc:///t").map(\.route) == [.bridge])
        #expect(try routes(.tunnel, container()).isEmpty, "a gate of an earlier release has none")
    }

    @Test func theReasonForNoWayIsSaid() throws {
        func reason(_ wanted: ControlRequest.Launch.Route, gatePorts: [String: UInt16]) throws -> ErrorCode {
            try KernelRoutes.absence(of: wanted, in: container(), asked: ports, gatePorts: gatePorts).code
        }
        #expect(try reason(.published, gatePorts: ["shell": 17000]) == .portsForeign)
        #expect(try reason(.published, gatePorts: ports) == .routeNone)
        #expect(try reason(.bridge, gatePorts: ports) == .routeNone)
        #expect(try reason(.auto, gatePorts: ports) == .gateOld)
    }

    @Test func theHostsNetworkNeedsNoPublishing() throws {
        let host = try container {
            $0.usesHostNetwork = true
            $0.published = [:]
            $0.addresses = []
        }
        let address = try #require(routes(.auto, host).first)
        #expect(address.route == .published)
        #expect(address.address.endpoint(.hb) == "tcp://127.0.0.1:10001")
    }

    @Test func addressesOfIPv6AreInBrackets() throws {
        let six = try container { $0.addresses = ["fd00::2"] }
        let address = try #require(routes(.bridge, six).first?.address)
        #expect(address.endpoint(.shell) == "tcp://[fd00::2]:10003")
    }

    /// A connection file that cannot be read, or is another kernel's, is no line.
    @Test func aLineNeedsTheKernelsOwnFile() throws {
        #expect(try routes(.line, container { $0.pid = 1 }, transport: .ipc).isEmpty)
    }
}
