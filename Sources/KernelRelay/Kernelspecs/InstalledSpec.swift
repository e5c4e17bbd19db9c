import FoundationEssentials
import Glibc

/// A kernel of ours in one of Jupyter's folders.
package struct InstalledSpec: Sendable, Equatable {
    package let name: String
    package let folder: String
    package let spec: Kernelspec
    /// Another kernel of that name stands before it, and Jupyter shows that one.
    package var isShadowed = false

    package init(name: String, folder: String, spec: Kernelspec, isShadowed: Bool = false) {
        self.name = name
        self.folder = folder
        self.spec = spec
        self.isShadowed = isShadowed
    }

    package var file: String { "\(folder)/kernel.json" }

    /// Written by discovery.
    var isDiscovered: Bool { spec.discovered != nil }

    /// All of ours, by name; those in front that Jupyter shows.
    package static func all(_ folders: JupyterFolders) -> [InstalledSpec] {
        var found: [InstalledSpec] = []
        var seen: Set<String> = []
        for kernels in folders.search {
            for name in names(in: kernels).sorted() {
                let folder = "\(kernels)/\(name)"
                guard access("\(folder)/kernel.json", F_OK) == 0 else { continue }
                // Jupyter takes names that differ in case for the same.
                let isFirst = seen.insert(name.lowercased()).inserted
                guard let spec = read(folder) else { continue }
                found.append(InstalledSpec(name: name, folder: folder, spec: spec, isShadowed: !isFirst))
            }
        }
        return found.sorted { $0.name < $1.name }
    }

    /// The kernel of ours that has this name; an error says whether there is another's.
    package static func named(_ name: String, _ folders: JupyterFolders) throws(RelayError) -> InstalledSpec {
        // So that a name is never a path. One that `add` would not take may be another's all the same.
        if name.isEmpty || name.hasPrefix(".") || name.contains("/") {
            throw RelayError(.specName, printable(name))
        }
        if let installed = all(folders).first(where: { $0.name == name }) { return installed }
        for kernels in folders.search where access("\(kernels)/\(name)", F_OK) == 0 {
            throw RelayError(.specForeign, "\(kernels)/\(name)")
        }
        throw RelayError(.specMissing, name)
    }

    /// What is written in `folder`, where that is ours.
    package static func read(_ folder: String) -> Kernelspec? {
        guard let bytes = try? PrivateFile.read("\(folder)/kernel.json", limit: 1 << 20),
            let json = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        else { return nil }
        let name = folder.split(separator: "/").last.map(String.init) ?? ""
        return Kernelspec(reading: json, named: name)
    }

    private static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }
}
