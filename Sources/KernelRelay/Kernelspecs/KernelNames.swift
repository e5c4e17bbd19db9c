import FoundationEssentials

/// What the kernels in Jupyter's folders are called, whoever wrote them.
package struct KernelNames: Sendable {
    /// Folders' names in lower case: Jupyter takes names that differ in case for the same.
    package var names: Set<String> = []
    package var displayNames: Set<String> = []

    package init(names: Set<String> = [], displayNames: Set<String> = []) {
        self.names = names
        self.displayNames = displayNames
    }

    /// - Parameter without: says of one of ours whether to pass it by.
    package init(in folders: [String], without: (Kernelspec) -> Bool) {
        for folder in folders {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
                let bytes = try? PrivateFile.read("\(folder)/\(name)/kernel.json", limit: 1 << 20)
                let json = bytes.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0)) }
                if let json, let spec = Kernelspec(reading: json, named: name), without(spec) { continue }
                // Also what is no kernel: the place is taken.
                names.insert(name.lowercased())
                if case .object(let fields) = json, case .string(let text) = fields["display_name"] {
                    displayNames.insert(text)
                }
            }
        }
    }
}
