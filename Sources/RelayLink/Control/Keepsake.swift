extension ControlRequest {
    /// What a shim keeps of its kernel, so that relayd may die and the kernel need not.
    package struct Keepsake: Sendable, Equatable {
        package var kernel: String
        /// The kernel's own key.
        package var key: String
        package var containerID: String
        /// What the kernel knows its relay by: answers that are due go to that name.
        package var relay: String
        /// What that container was called by, and who the kernel is in there, where a project's file may have said so: it may
        /// say something else by now.
        package var container: String?
        package var user: String?
        /// When the kernel began, by the host's ``BootClock``.
        package var started: Int64?
        /// Of a command on the host: the ports at which its kernel may be found, by channel, the best first.
        package var hostPorts: [[String: UInt16]]

        package init(
            kernel: String, key: String, containerID: String, relay: String, container: String? = nil,
            user: String? = nil, started: Int64? = nil, hostPorts: [[String: UInt16]] = []
        ) {
            self.kernel = kernel
            self.key = key
            self.containerID = containerID
            self.relay = relay
            self.hostPorts = hostPorts
            self.started = started
            self.container = container
            self.user = user
        }
    }
}

extension ControlRequest.Keepsake {
    package var body: [String: JSON] {
        var fields: [String: JSON] = [
            "kernel": .string(kernel), "key": .string(key), "containerID": .string(containerID),
            "relay": .string(relay),
        ]
        if !hostPorts.isEmpty {
            fields["hostPorts"] = .array(hostPorts.map { .object($0.mapValues { .whole(Int64($0)) }) })
        }
        fields["startedMilliseconds"] = started.map { .whole($0) }
        fields["container"] = container.map { .string($0) }
        fields["user"] = user.map { .string($0) }
        return fields
    }

    package init(_ fields: Fields) throws(GateError) {
        kernel = try fields.string("kernel")
        key = try fields.string("key")
        containerID = try fields.string("containerID")
        relay = try fields.string("relay")
        hostPorts = []
        for (index, ports) in try fields.list("hostPorts").enumerated() {
            hostPorts.append(try Fields(.object(["\(index)": ports]), in: "hostPorts").ports("\(index)"))
        }
        started = try fields.optionalInteger("startedMilliseconds", in: 0...(1 << 53))
        container = try fields.optionalString("container")
        user = try fields.optionalString("user")
    }
}
