import Glibc
import Host
import RelayLink

/// The kernels in Jupyter's folders that `relayd add` wrote: whether what they name is still there.
extension Check {
    static let specs: [Check] = [kernelspecs, specContainers]

    static let kernelspecs = Check("kernelspecs") { chart in
        let environment = chart.subject.environment
        let found = try? await offload("kr-specs") {
            .success(InstalledSpec.all(JupyterFolders(environment: environment)))
        }
        chart.specs = found ?? []
        let lost = chart.specs.filter { access($0.spec.program, X_OK) != 0 }
        guard let first = lost.first else {
            let count = chart.specs.count
            return .good(count == 0 ? "none of ours" : count == 1 ? "1 of ours" : "\(count) of ours")
        }
        let text = lost.map { "\($0.name) names \($0.spec.program), which is not there" }.joined(
            separator: "; ")
        let remedy = "edit the first word of argv in \(first.file), or write it anew by relayd add --replace"
        // Another container's kernel is no fault of the one that was asked about.
        let concerns = lost.contains { chart.subject.container.map([$0.spec.container].contains) ?? true }
        return concerns
            ? .bad(RelayLink.printable(text, limit: 600), remedy)
            : .warning(RelayLink.printable(text, limit: 600), remedy)
    }

    static let specContainers = Check("spec containers", needs: ["kernelspecs", "server"]) { chart in
        // Only what this client can see: others may be another engine's.
        let client = chart.subject.engine.client.command
        let mine = chart.specs.filter { client == $0.client && !$0.spec.container.isEmpty }
        if mine.isEmpty { return .skipped("no kernelspec of ours uses this client") }
        guard let names = await chart.names(ofAll: true) else {
            return .warning("the engine does not list its containers", chart.subject.typed("ps", "--all"))
        }
        var lost = mine.filter { spec in
            !names.contains { spec.spec.container == $0.name || $0.id.hasPrefix(spec.spec.container) }
        }
        // Those that are looked for by what they are labelled with.
        for (index, spec) in lost.enumerated().reversed() {
            guard let reference = try? ContainerReference(spec.spec.container), reference.isByLabel else {
                continue
            }
            let found = (try? await chart.subject.engine.containers(by: reference)) ?? []
            if !found.isEmpty { lost.remove(at: index) }
        }
        guard let first = lost.first else { return .good("all there") }
        let text = lost.map { "\($0.name) wants \($0.spec.container)" }.joined(separator: ", ")
        return .warning(
            "not there: \(RelayLink.printable(text, limit: 600))",
            "relayd remove \(ShellWord.quote(first.name))")
    }
}

extension InstalledSpec {
    /// The engine's client that it names, by its words.
    fileprivate var client: [String] {
        guard let place = spec.options.firstIndex(of: "--docker"), place + 1 < spec.options.count,
            let words = try? CommandWords.read(spec.options[place + 1])
        else { return ["docker"] }
        return words
    }
}

extension Chart {
    /// The containers that run, by name; none where the engine does not answer.
    package func runningNames() async -> [String] {
        guard serverVersion != nil else { return [] }
        return (await names(ofAll: false) ?? []).map { RelayLink.printable($0.name) }.sorted()
    }

    struct Named { let id, name: String }

    /// The containers that the engine lists; nothing when it does not.
    func names(ofAll: Bool) async -> [Named]? {
        let words = ["ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}"] + (ofAll ? ["--all"] : [])
        guard let answer = try? await subject.engine.command(words).run(), answer.succeeded else {
            return nil
        }
        return answer.text.split(whereSeparator: \.isNewline).flatMap { line -> [Named] in
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { return [] }
            // A linked container has several.
            return parts[1].split(separator: ",").map { Named(id: parts[0], name: String($0)) }
        }
    }
}
