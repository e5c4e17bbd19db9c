import RelayLink

/// A kernelspec that stands in a container, as far as it can be used from outside. The container's word is a stranger's.
package struct ContainerSpec: Sendable, Equatable {
    /// Its folder's.
    package let name: String
    package let displayName: String
    package let language: String
    package let argv: [String]
    package let byMessage: Bool
    package let env: [String: String]

    package init?(_ bytes: [UInt8], name: String, folder: String) {
        guard let fields = (try? JSON(parsing: bytes))?.fields, let list = fields["argv"]?.list else {
            return nil
        }
        let words = list.compactMap(\.text).map { $0.replacing("{resource_dir}", with: folder) }
        guard words.count == list.count, let program = words.first, !program.isEmpty,
            !words.contains(where: { $0.utf8.contains(0) })
        else { return nil }
        self.name = RelayLink.printable(name)
        argv = words
        displayName = RelayLink.printable(fields["display_name"]?.text ?? name)
        language = RelayLink.printable(fields["language"]?.text ?? "")
        byMessage = fields["interrupt_mode"]?.text == "message"
        var variables: [String: String] = [:]
        for (name, value) in fields["env"]?.fields ?? [:] {
            guard !name.isEmpty, !name.contains("="), !name.utf8.contains(0), let text = value.text,
                !text.utf8.contains(0)
            else { return nil }
            variables[name] = text
        }
        env = variables
    }
}

/// A kernel that was found in a container, and how it is started there.
package enum FoundKernel: Sendable, Equatable {
    /// A Python with ipykernel, by the name under which it is on the container's PATH.
    case python(String)
    case r
    case other(ContainerSpec)

    /// The kernelspecs that are not the same kernels once more.
    static func others(
        _ specs: [ContainerSpec], besides found: [FoundKernel], _ pythons: [PythonSurvey]
    ) -> [FoundKernel] {
        var names: Set<String> = []
        let interpreters = pythons.filter { $0.ipykernel != nil }.map(\.executable)
        return specs.filter { spec in
            guard names.insert(spec.name).inserted else { return false }
            let isIPython = spec.argv.contains { $0 == "ipykernel_launcher" || $0 == "ipykernel" }
            let isFoundPython =
                ["python", "python3"].contains(spec.argv[0]) || interpreters.contains(spec.argv[0])
            if isIPython, isFoundPython, found.contains(where: \.isPython) { return false }
            return !(found.contains(.r) && spec.argv.contains { $0.contains("IRkernel::main") })
        }.map { .other($0) }
    }

    private var isPython: Bool { if case .python = self { true } else { false } }

    /// The words of `relayd add` for it.
    package func words(in container: String) -> [String] {
        let place = ["--container=\(container)"]
        switch self {
        // What a launch tries first anyway.
        case .python("python3"): return place
        case .python(let name): return place + ["--cmd=\(name) -m ipykernel_launcher -f {connection_file}"]
        case .r: return place + ["--cmd=R --slave -e \"IRkernel::main()\" --args {connection_file}"]
        case .other(let spec):
            let command = String(decoding: JSON.array(spec.argv.map { .string($0) }).encoded, as: UTF8.self)
            var words = place + ["--cmd=\(command)", "--display-name=\(spec.displayName) (\(container))"]
            if !spec.language.isEmpty { words.append("--language=\(spec.language)") }
            if spec.byMessage { words.append("--interrupt-mode=message") }
            return words + spec.env.sorted { $0.key < $1.key }.map { "--env=\($0.key)=\($0.value)" }
        }
    }
}
