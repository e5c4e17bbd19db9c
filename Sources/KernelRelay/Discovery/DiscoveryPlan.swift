/// What discovered kernels are called: a pure function of what was found and of what is there already.
package struct DiscoveryPlan {
    package struct Place: Equatable {
        package let name: String
        package let kernel: DiscoveredKernel
    }

    package let places: [Place]

    /// - Parameters:
    ///   - found: containers that run, with the kernel that each asks for.
    ///   - present: names that discovery has given already, by what they refer to. They are kept: notebooks know their
    ///     kernel by its name.
    ///   - others: everybody else's kernels.
    package init(
        _ found: [(container: Container, kernel: DiscoveredKernel)], present: [String: String],
        others: KernelNames
    ) {
        let kernels = Self.distinct(found).sorted { $0.reference.text < $1.reference.text }
        var names = others.names
        var displayNames = others.displayNames.union(Self.jupyters)
        let twice = Dictionary(grouping: kernels, by: \.displayName).filter { $0.value.count > 1 }.keys
        var chosen: [String: String] = [:]
        for kernel in kernels {
            guard let name = present[kernel.reference.text], names.insert(name).inserted else { continue }
            chosen[kernel.reference.text] = name
        }
        places = kernels.map { kernel in
            var kernel = kernel
            // Nobody's kernel is to be taken for another's.
            if twice.contains(kernel.displayName) || displayNames.contains(kernel.displayName) {
                kernel.displayName += " (\(kernel.reference.title))"
            }
            displayNames.insert(kernel.displayName)
            let name = chosen[kernel.reference.text] ?? Self.free(kernel, &names)
            return Place(name: name, kernel: kernel)
        }
    }

    /// What Jupyter calls its own, which may be in a folder that is not known here.
    private static let jupyters: Set<String> = ["Python 3 (ipykernel)", "Python 3"]

    /// A reference that leads to several containers is none: then each goes by its own name.
    private static func distinct(
        _ found: [(container: Container, kernel: DiscoveredKernel)]
    ) -> [DiscoveredKernel] {
        Dictionary(grouping: found) { $0.kernel.reference }.values.flatMap { group in
            group.count == 1 ? group.map(\.kernel) : group.map { $0.kernel.named($0.container) }
        }
    }

    /// With a word in front that no person's kernel begins with: one in the user's folder would hide a kernel of the same
    /// name elsewhere.
    private static func free(_ kernel: DiscoveredKernel, _ names: inout Set<String>) -> String {
        let usual = "discovered-\(SpecName.from(kernel.displayName))"
        var name = usual
        var number = 1
        while !names.insert(name).inserted {
            number += 1
            name = "\(usual)-\(number)"
        }
        return name
    }
}
