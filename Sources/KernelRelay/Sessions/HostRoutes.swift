import RelayLink

/// The ways to a kernel that a command on this host has started: its own sockets, or the ports that the command maps.
enum HostRoutes {
    static func candidates(
        _ wanted: ControlRequest.Launch.Route, to ways: [[String: UInt16]], key: SigningKey
    ) -> [KernelRoutes.Candidate] {
        ways.enumerated().compactMap { index, ports in
            // The drawn ones come first, and alone where the kernel is told to listen at the same: whoever says that it is
            // here is believed.
            let isHere = index > 0 || ways.count == 1 && wanted == .line
            let route: KernelRoute = isHere ? .line : .published
            guard wanted == .auto || wanted.rawValue == route.rawValue else { return nil }
            let endpoints = Channel.allCases.compactMap { channel in
                ports[channel.rawValue].map { (channel, "tcp://127.0.0.1:\($0)") }
            }
            return (try? KernelAddress(endpoints: Dictionary(uniqueKeysWithValues: endpoints), key: key))
                .map { .init(route: route, address: $0) }
        }
    }
}
