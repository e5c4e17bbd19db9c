import FoundationEssentials
import Glibc
import RelayLink

/// The kernels that discovery keeps in one of Jupyter's folders. What it did not write itself it neither replaces nor
/// takes away, whatever that is called.
package struct DiscoveryShelf: Sendable {
    /// The folder that holds a folder for each kernel.
    let kernels: String
    /// All of Jupyter's folders, for the names that are taken.
    let search: [String]
    /// Who wrote a kernel: this machine, and relayd's folder on it.
    let owner: String

    package init(kernels: String, search: [String] = [], runtime: String) {
        self.kernels = kernels
        self.search = search
        owner = "\(Self.machine):\(runtime)"
    }

    private static var machine: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package struct Changes: Sendable, Equatable {
        package var came: [String] = []
        package var went: [String] = []
        /// Where something could not be written or taken away.
        package var failure: RelayError?
    }

    /// Brings the folder to what was found. Blocks, as files do.
    ///
    /// - Parameter client: the words of the engine's client that found them, and must find them again.
    func show(
        _ found: [(container: Container, kernel: DiscoveredKernel)], program: String, client: [String]
    ) -> Changes {
        let present = own()
        let byReference = Dictionary(present.map { ($0.spec.container, $0.name) }) { first, _ in first }
        let others = KernelNames(in: Set(search + [kernels]).sorted(), without: isOurs)
        let plan = DiscoveryPlan(found, present: byReference, others: others)
        var changes = Changes()
        let wanted = Set(plan.places.map(\.name))
        for installed in present where !wanted.contains(installed.name) { take(installed, &changes) }
        for place in plan.places {
            let before = present.first { $0.name == place.name }
            let spec = spec(place, program, client)
            if before?.spec == spec { continue }
            do throws(RelayError) {
                _ = try SpecFolder.write(spec, name: place.name, in: kernels, replace: true, where: isOurs)
                if before == nil { changes.came.append(place.name) }
            } catch {
                changes.failure = error
            }
        }
        return changes
    }

    /// Takes away what this relayd, or one that is gone for good, has written.
    @discardableResult
    package func clear() -> Changes {
        var changes = Changes()
        for installed in own() { take(installed, &changes) }
        return changes
    }

    private func take(_ installed: InstalledSpec, _ changes: inout Changes) {
        do throws(RelayError) {
            try SpecFolder.remove(installed, where: isOurs)
            changes.went.append(installed.name)
        } catch {
            // Somebody was faster, or made it his own.
            if error.code != .specMissing, error.code != .specForeign { changes.failure = error }
        }
    }

    private func own() -> [InstalledSpec] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: kernels)) ?? []
        return names.sorted().compactMap { name in
            guard let spec = InstalledSpec.read("\(kernels)/\(name)"), isOurs(spec) else { return nil }
            return InstalledSpec(name: name, folder: "\(kernels)/\(name)", spec: spec)
        }
    }

    private func isOurs(_ spec: Kernelspec) -> Bool {
        guard let mark = spec.discovered else { return false }
        if mark.owner == owner { return true }
        // Of a relayd of this machine whose folder is not there: nobody else would ever take it away.
        let prefix = "\(Self.machine):/"
        return mark.owner.hasPrefix(prefix)
            && access(String(mark.owner.dropFirst(prefix.count - 1)), F_OK) != 0
    }

    private func spec(
        _ place: DiscoveryPlan.Place, _ program: String, _ client: [String]
    ) -> Kernelspec {
        let engine =
            client == ["docker"] ? [] : ["--docker", client.map(ShellWord.quote).joined(separator: " ")]
        var spec = Kernelspec(
            program: program, container: place.kernel.reference.text, displayName: place.kernel.displayName,
            language: place.kernel.language, options: place.kernel.options + engine)
        spec.discovered = DiscoveryMark(owner: owner)
        return spec
    }
}
