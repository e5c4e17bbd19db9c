extension Reading {
    package struct Kernel: Sendable {
        package var id: String
        package var state: String
        package var notebook: String?
        package var user: String?
        package var container: String
        package var containerID: String?
        package var route: String?
        package var isOnAllInterfaces: Bool
        package var uptime: Double?
        /// An earlier relayd started it.
        package var isResumed: Bool
        package var verdict: Verdict
        package var ladder: [Hop]
        package var roundTrip: RoundTrip
        package var replies: [(channel: String, times: RoundTrip)]
        /// From questions to their answers, of what is asked besides the kernel.
        package var hops: [(name: String, times: RoundTrip)]
        package var busyFor: Double?
        package var replyAgo: Double?
        package var outputAgo: Double?
        package var channels: [Channel]
        package var process: Process?
        package var memoryUsed: Double?
        package var memoryLimit: Double?
        package var memoryKills: Double?
        package var phases: [(name: String, milliseconds: Double)]
        package var launchTotal: Double?
        package var interrupts: Double?
        package var history: History

        init(_ fields: ReadingFields) {
            id = fields.text("id") ?? "?"
            state = fields.text("state") ?? "?"
            notebook = fields.text("notebook")
            user = fields.text("user")
            container = fields.text("container") ?? "?"
            containerID = fields.text("container_id")
            route = fields.text("route")
            isOnAllInterfaces = fields.flag("on_all_interfaces")
            uptime = fields.figure("uptime_seconds")
            isResumed = fields.flag("resumed")
            verdict = Verdict(fields.object("verdict"))
            ladder = fields.list("ladder").map(Hop.init)
            roundTrip = RoundTrip(fields.object("round_trip"))
            let replyTime = fields.object("reply_time")
            replies = ["shell", "control"].map { ($0, RoundTrip(replyTime.object($0))) }
            let hopTime = fields.object("hop_time")
            hops = ["gate", "engine"].map { ($0, RoundTrip(hopTime.object($0))) }
            let activity = fields.object("activity")
            busyFor = activity.figure("busy_seconds")
            replyAgo = activity.figure("shell_reply_seconds_ago")
            outputAgo = activity.figure("iopub_seconds_ago")
            let byName = fields.object("channels")
            channels = ["shell", "control", "stdin", "iopub", "hb"].filter(byName.has).map {
                Channel($0, byName.object($0))
            }
            process = fields.has("process") ? Process(fields.object("process")) : nil
            let memory = fields.object("memory")
            memoryUsed = memory.figure("used_bytes")
            memoryLimit = memory.figure("limit_bytes")
            memoryKills = memory.figure("kills")
            let launch = fields.object("launch")
            phases = launch.list("phases").compactMap { phase in
                phase.figure("milliseconds").map { (phase.text("name", limit: 20) ?? "?", $0) }
            }
            launchTotal = launch.figure("total_milliseconds")
            interrupts = fields.figure("interrupts")
            history = History(fields.object("history"))
        }

        /// Of both directions and all channels but one, in a second.
        package var messageRate: Double? { sum(\.messageRate) }
        package var byteRate: Double? { sum(\.byteRate) }

        /// A client that sends heartbeats does so whether the notebook does anything or not.
        private func sum(_ figure: KeyPath<Flow, Double?>) -> Double? {
            let known = channels.filter { $0.name != "hb" }
                .flatMap { [$0.toKernel, $0.toClient] }
                .compactMap { $0[keyPath: figure] }
            return known.isEmpty ? nil : known.reduce(0, +)
        }

    }

    package struct Hop: Sendable {
        package var name: String
        package var lamp: String
        package var text: String
        package var milliseconds: Double?

        init(_ fields: ReadingFields) {
            name = fields.text("hop", limit: 20) ?? "?"
            lamp = fields.text("lamp", limit: 20) ?? "dark"
            text = fields.text("text") ?? ""
            milliseconds = fields.figure("milliseconds")
        }
    }

    package struct RoundTrip: Sendable {
        package var last, half, most, count, lost: Double?

        init(_ fields: ReadingFields) {
            last = fields.figure("last_ms")
            half = fields.figure("p50_ms")
            most = fields.figure("p99_ms")
            count = fields.figure("count")
            lost = fields.figure("lost")
        }
    }

    package struct Channel: Sendable {
        package var name: String
        package var toKernel, toClient: Flow

        init(_ name: String, _ fields: ReadingFields) {
            self.name = name
            toKernel = Flow(fields.object("to_kernel"))
            toClient = Flow(fields.object("to_client"))
        }
    }

    package struct Flow: Sendable {
        package var messages, bytes, messageRate, byteRate, heldMessages, heldBytes: Double?
        package var dropped: [(name: String, value: Double)]

        init(_ fields: ReadingFields) {
            messages = fields.figure("messages")
            bytes = fields.figure("bytes")
            messageRate = fields.figure("messages_per_second")
            byteRate = fields.figure("bytes_per_second")
            heldMessages = fields.figure("held_messages")
            heldBytes = fields.figure("held_bytes")
            dropped = fields.object("dropped").allFigures
        }
    }

    package struct Process: Sendable {
        package var pid, cpu, cpuSeconds, memory: Double?
        package var state: String

        init(_ fields: ReadingFields) {
            pid = fields.figure("pid")
            state = fields.text("state", limit: 20) ?? "?"
            cpu = fields.figure("cpu_percent")
            cpuSeconds = fields.figure("cpu_seconds")
            memory = fields.figure("memory_bytes")
        }
    }

    package struct History: Sendable {
        package var seconds: Double?
        package var roundTrips, rates: [Double?]
        /// The report told of it.
        package var isKnown: Bool { seconds != nil }

        init(_ fields: ReadingFields) {
            seconds = fields.figure("every_seconds")
            roundTrips = fields.figures("round_trip_ms")
            rates = fields.figures("messages_per_second")
        }
    }
}
