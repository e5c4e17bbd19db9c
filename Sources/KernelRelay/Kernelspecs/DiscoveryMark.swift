/// In a kernel.json that discovery wrote: by whom.
package struct DiscoveryMark: Sendable, Equatable {
    /// The relayd: its machine and its folder. Several may share a home.
    package var owner: String

    package init(owner: String) {
        self.owner = owner
    }

    init?(_ json: JSONValue?) {
        guard case .object(let fields) = json, case .string(let owner) = fields["by"] else { return nil }
        self.init(owner: owner)
    }

    var json: JSONValue { .object(["by": .string(owner)]) }
}
