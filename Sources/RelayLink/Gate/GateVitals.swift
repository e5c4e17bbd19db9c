/// What a gate sees of its kernels' processes and of the container's memory.
package struct GateVitals: Sendable, Equatable {
    package enum ProcessState: String, Sendable {
        case running, sleeping, waiting, stopped, zombie, gone
    }

    package struct Kernel: Sendable, Equatable {
        package var kernel: String
        package var pid: Int32
        package var state: ProcessState
        /// Of its own and of the children that it has waited for.
        package var cpuMilliseconds: Int64
        package var memoryBytes: Int64

        package init(
            kernel: String, pid: Int32, state: ProcessState, cpuMilliseconds: Int64 = 0,
            memoryBytes: Int64 = 0
        ) {
            self.kernel = kernel
            self.pid = pid
            self.state = state
            self.cpuMilliseconds = cpuMilliseconds
            self.memoryBytes = memoryBytes
        }
    }

    /// Of the container's cgroup.
    package struct Memory: Sendable, Equatable {
        package var usedBytes: Int64
        /// Nothing where there is no limit.
        package var limitBytes: Int64?
        /// Processes that the limit has killed.
        package var kills: Int64

        package init(usedBytes: Int64, limitBytes: Int64?, kills: Int64) {
            self.usedBytes = usedBytes
            self.limitBytes = limitBytes
            self.kills = kills
        }
    }

    package var kernels: [Kernel]
    /// Nothing where the cgroup cannot be read.
    package var memory: Memory?

    package init(kernels: [Kernel], memory: Memory?) {
        self.kernels = kernels
        self.memory = memory
    }
}

extension GateVitals {
    var body: [String: JSON] {
        var fields: [String: JSON] = [
            "kernels": .array(
                kernels.map {
                    [
                        "kernel": .string($0.kernel), "pid": .whole(Int64($0.pid)),
                        "state": .string($0.state.rawValue), "cpuMilliseconds": .whole($0.cpuMilliseconds),
                        "memoryBytes": .whole($0.memoryBytes),
                    ]
                })
        ]
        if let memory {
            fields["memory"] = [
                "usedBytes": .whole(memory.usedBytes),
                "limitBytes": memory.limitBytes.map { .whole($0) } ?? .null,
                "kills": .whole(memory.kills),
            ]
        }
        return fields
    }

    init(_ fields: Fields) throws(GateError) {
        kernels = []
        for json in try fields.list("kernels") {
            let fields = try Fields(json, in: "kernels")
            kernels.append(
                Kernel(
                    kernel: try fields.string("kernel"),
                    pid: Int32(try fields.integer("pid", in: 1...Int64(Int32.max))),
                    state: try fields.choice("state", .gone),
                    cpuMilliseconds: try fields.integer("cpuMilliseconds", in: 0...Int64.max),
                    memoryBytes: try fields.integer("memoryBytes", in: 0...Int64.max)))
        }
        memory = nil
        guard let json = fields["memory"] else { return }
        let memory = try Fields(json, in: "memory")
        self.memory = Memory(
            usedBytes: try memory.integer("usedBytes", in: 0...Int64.max),
            limitBytes: try memory.optionalInteger("limitBytes", in: 0...Int64.max),
            kills: try memory.integer("kills", in: 0...Int64.max))
    }
}
