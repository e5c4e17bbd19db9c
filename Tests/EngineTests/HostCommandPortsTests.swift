import RelayLink
import Testing

@testable import KernelRelay

/// Where a command on this host is told to let its kernel listen, and where that is looked for.
@Suite(.serialized) struct HostCommandPortsTests {
    private func free() throws -> [String: UInt16] {
        Dictionary(uniqueKeysWithValues: zip(StandardPorts.byChannel.keys, try HostPorts.choose(5)))
    }

    @Test func bothPlacesAreLookedAt() throws {
        let wanted = try free()
        let ports = try HostCommandPorts.draw(wanted, for: "a")
        defer { HostCommandPorts.release("a") }
        #expect(ports.inside == wanted && ports.ways == [ports.outside, wanted])
        #expect(Set(ports.outside.values).count == 5)
        #expect(ports.variables["JUPYTER_SHELL_PORT"] == wanted["shell"].map { "\($0)" })
        #expect(ports.variables["JUPYTER_HB_PORT_HOST"] == ports.outside["hb"].map { "\($0)" })
        #expect(ports.variables.count == 10)
    }

    /// What listens there is not the kernel.
    @Test func aPortThatIsTakenIsNotLookedAt() throws {
        let wanted = try free()
        _ = try HostCommandPorts.draw(wanted, for: "b")
        let second = try HostCommandPorts.draw(wanted, for: "c")
        defer { HostCommandPorts.release("c") }
        #expect(second.inside == wanted && second.ways == [second.outside])
        HostCommandPorts.release("b")
        let third = try HostCommandPorts.draw(wanted, for: "d")
        #expect(third.ways.count == 2)
        HostCommandPorts.release("d")
    }

    @Test func theUsualPortsGiveWay() throws {
        _ = try HostCommandPorts.draw(StandardPorts.byChannel, for: "e")
        let second = try HostCommandPorts.draw(StandardPorts.byChannel, for: "f")
        defer { HostCommandPorts.release("f") }
        #expect(second.inside == second.outside && second.ways == [second.outside])
        HostCommandPorts.release("e")
    }

    /// Nothing listens at them yet: so many kernels at once that without a memory of what was drawn two would have the same.
    @Test func whatWasDrawnIsNobodyElses() throws {
        let kernels = (0..<400).map { "g\($0)" }
        defer { for kernel in kernels { HostCommandPorts.release(kernel) } }
        let drawn = try kernels.map { try HostCommandPorts.draw(StandardPorts.byChannel, for: $0) }
        let ports = drawn.flatMap(\.outside.values)
        #expect(Set(ports).count == ports.count)
    }

    @Test func oneAddressForEachPlace() throws {
        let ports = try free()
        let other = try free()
        let found = HostRoutes.candidates(.auto, to: [ports, other], key: .random())
        #expect(found.map(\.route) == [.published, .line])
        #expect(found[0].address.endpoint(.shell) == "tcp://127.0.0.1:\(ports["shell"]!)")
        #expect(HostRoutes.candidates(.line, to: [ports, other], key: .random()).map(\.route) == [.line])
        // The same on both sides may be either.
        #expect(HostRoutes.candidates(.line, to: [ports], key: .random()).map(\.route) == [.line])
        #expect(HostRoutes.candidates(.auto, to: [ports], key: .random()).map(\.route) == [.published])
        #expect(HostRoutes.candidates(.bridge, to: [ports, other], key: .random()).isEmpty)
    }
}
