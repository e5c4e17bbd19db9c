extension ControlRequest {
    /// Which containers relayd is to show in Jupyter's launcher, and where that looks.
    package struct Discovery: Sendable, Equatable {
        /// The engine's client, a word for each argument, and what of the caller's environment it needs.
        package var engine: [String]
        package var engineEnvironment: [String: String]
        /// The folder that gets a folder for each kernel.
        package var kernels: String
        /// All folders in which Jupyter looks for kernels.
        package var search: [String]

        package init(
            engine: [String] = ["docker"], engineEnvironment: [String: String] = [:], kernels: String,
            search: [String] = []
        ) {
            self.engine = engine
            self.engineEnvironment = engineEnvironment
            self.kernels = kernels
            self.search = search
        }

        package var body: [String: JSON] {
            [
                "engine": .array(engine.map { .string($0) }),
                "engineEnvironment": .object(engineEnvironment.mapValues { .string($0) }),
                "kernels": .string(kernels), "search": .array(search.map { .string($0) }),
            ]
        }

        package init(_ fields: Fields) throws(GateError) {
            engine = try fields.strings("engine")
            guard engine.first?.isEmpty == false else { throw GateError(.message, "discovery has no engine") }
            engineEnvironment = try fields.variables("engineEnvironment")
            kernels = try fields.string("kernels")
            search = fields["search"] == nil ? [] : try fields.strings("search")
            guard (search + [kernels]).allSatisfy({ $0.hasPrefix("/") }) else {
                throw GateError(.message, "a folder in discovery is not absolute")
            }
        }
    }
}
