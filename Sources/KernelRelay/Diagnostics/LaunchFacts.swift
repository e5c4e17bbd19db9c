import RelayLink

/// What is known of a launch, for those who explain why nothing came of it.
package struct LaunchFacts: Sendable, Equatable {
    /// The engine's client, a word for each argument.
    package var client: [String] = ["docker"]
    /// The caller's environment names an engine of its own.
    package var namesEngine = false
    /// As kernel.json names it.
    package var wanted: String
    /// Its name, once that is known.
    package var container: String
    package var image = ""
    /// The container was to be made for this kernel alone.
    package var making: ControlRequest.Launch.Making?
    /// The command was to be run on this host.
    package var isOnHost = false
    /// As `docker exec --user` takes it.
    package var user: String?
    /// The first word of what was to be run; nothing for the container's python with ipykernel.
    package var program: String?
    /// What that was to be run through, in a container of its own; what a gate looks for is this.
    package var entrypoint: String?
    /// A route that alone was allowed.
    package var route: String?
    /// Containers that there are, where the one that was asked for is not.
    package var names: [String] = []
    /// In bytes; 0 where there is none.
    package var memoryLimit: Int64 = 0
    /// Memory and swap together; 0 where nothing is said, -1 for no limit.
    package var swapLimit: Int64 = 0
    /// How far it came, a line for each step.
    package var reached: [String] = []
    /// The last that the kernel wrote, as it came.
    package var tail: [UInt8] = []
    /// A kernel has run, and had variables.
    package var hasRun = false
    /// Whoever starts kernels is to see a failure: there is no other for the next cell.
    package var endsShim = false
    /// It ran before this relayd did, and may run still.
    package var mayLive = false

    /// Where the container that the kernel was in has been made anew, as what it is now.
    package var successor: Successor?

    package struct Successor: Sendable, Equatable {
        package var name: String
        package var id: String
        /// Of the one before.
        package var formerID: String
        package var isUp: Bool

        package init(name: String, id: String, formerID: String, isUp: Bool) {
            self.name = name
            self.id = id
            self.formerID = formerID
            self.isUp = isUp
        }
    }

    package init(container: String) {
        wanted = container
        self.container = Self.shown(container)
    }

    /// An id that was given in full, in as many of its digits as engines show of one and take for it.
    package static func shown(_ container: String) -> String {
        let isID = container.utf8.count == 64 && container.allSatisfy { $0.isHexDigit && !$0.isUppercase }
        return isID ? String(container.prefix(12)) : container
    }
}
