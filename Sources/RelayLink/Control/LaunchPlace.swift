/// Where a kernel is to run, when that is not in a container that is there.
extension ControlRequest.Launch {
    /// A container that is made for this kernel alone.
    package struct Making: Sendable, Equatable {
        package var image: String
        /// Further words for the engine's `run`.
        package var arguments: [String]

        package init(image: String, arguments: [String] = []) {
            self.image = image
            self.arguments = arguments
        }
    }

    /// The place as a person knows it.
    package var place: String {
        if let making { return making.image }
        return hostEnvironment == nil ? container : Self.host
    }
    package static let host = "this host"

    var placeBody: [String: JSON] {
        if let making {
            return [
                "image": .string(making.image), "runArguments": .array(making.arguments.map { .string($0) }),
            ]
        }
        guard let hostEnvironment else { return ["container": .string(container)] }
        return ["hostEnvironment": .object(hostEnvironment.mapValues { .string($0) })]
    }

    /// Exactly one of the three must be there.
    struct Place {
        var container = ""
        var making: Making?
        var hostEnvironment: [String: String]?

        init(_ fields: Fields) throws(GateError) {
            let names = ["container", "image", "hostEnvironment"].filter { fields[$0] != nil }
            guard names.count == 1 else {
                throw GateError(.message, "kernel names \(names.count) of container, image, hostEnvironment")
            }
            switch names[0] {
            case "container": container = try fields.string("container")
            case "image":
                let arguments = fields["runArguments"] == nil ? [] : try fields.strings("runArguments")
                making = Making(image: try fields.string("image"), arguments: arguments)
            default: hostEnvironment = try fields.variables("hostEnvironment")
            }
        }
    }
}
