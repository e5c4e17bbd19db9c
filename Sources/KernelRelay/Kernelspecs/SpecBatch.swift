import CLinux
import FoundationEssentials
import Glibc

/// Kernels that are written together: all of them, or none.
///
/// Each is written whole beside the folder of all kernels, where Jupyter does not look, and put in its place by a rename.
/// What was renamed is taken back when a later one cannot be.
package struct SpecBatch {
    package struct Draft: Sendable, Equatable {
        package let name: String
        package let spec: Kernelspec

        package init(name: String, spec: Kernelspec) {
            self.name = name
            self.spec = spec
        }
    }

    private struct Written {
        let temporary: String
        let folder: String
        /// Another of ours was there, and is in `temporary` once this one is in its place.
        let isThere: Bool
    }

    /// - Parameters:
    ///   - kernels: the folder that holds a folder for each kernel.
    ///   - replace: whether some of ours may be there.
    ///   - areOnesOwn: whether the kernels are for their owner alone, and so are their values.
    ///   - isSuch: which of ours.
    /// - Returns: the kernels' folders, in the drafts' order.
    package static func write(
        _ drafts: [Draft], in kernels: String, replace: Bool, areOnesOwn: Bool = false,
        where isSuch: (Kernelspec) -> Bool = { _ in true }
    ) throws(RelayError) -> [String] {
        // First everything that can be found out without writing.
        var seen: Set<String> = []
        for draft in drafts {
            try SpecName.check(draft.name)
            guard seen.insert(draft.name).inserted else {
                throw RelayError(.specExists, draft.name, cause: "two of them have this name")
            }
            _ = try SpecFolder.mayWrite("\(kernels)/\(draft.name)", replace: replace, isSuch)
        }
        do {
            try FileManager.default.createDirectory(atPath: kernels, withIntermediateDirectories: true)
        } catch {
            throw RelayError(.specFolder, kernels, cause: errorText(errno))
        }
        var written: [Written] = []
        defer { for one in written { try? FileManager.default.removeItem(atPath: one.temporary) } }
        for draft in drafts {
            let folder = "\(kernels)/\(draft.name)"
            let isThere = try SpecFolder.mayWrite(folder, replace: replace, isSuch)
            written.append(
                Written(
                    temporary: try SpecFolder.makeTemporary(beside: kernels), folder: folder, isThere: isThere
                ))
            try SpecFolder.fill(
                written[written.count - 1].temporary, with: draft.spec, as: draft.name, isOnesOwn: areOnesOwn)
        }
        for (index, one) in written.enumerated() {
            do throws(RelayError) {
                try put(one)
            } catch {
                for earlier in written[..<index].reversed() { takeBack(earlier) }
                throw error
            }
        }
        return written.map(\.folder)
    }

    private static func put(_ one: Written) throws(RelayError) {
        if one.isThere { return try SpecFolder.exchange(one.temporary, one.folder) }
        guard rename(one.temporary, one.folder) == 0 else {
            throw errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                ? RelayError(.specExists, one.folder) : SpecFolder.failure(one.folder)
        }
    }

    private static func takeBack(_ one: Written) {
        if one.isThere {
            try? SpecFolder.exchange(one.temporary, one.folder)
        } else {
            _ = rename(one.folder, one.temporary)
        }
    }
}
