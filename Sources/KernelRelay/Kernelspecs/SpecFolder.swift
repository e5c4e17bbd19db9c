import CLinux
import FoundationEssentials
import Glibc

/// A kernel's folder: written whole or not at all, and taken away whole.
package enum SpecFolder {
    /// Writes kernel.json and the logos.
    ///
    /// - Parameters:
    ///   - kernels: the folder that holds a folder for each kernel.
    ///   - replace: whether one of ours may be there.
    /// - Returns: the kernel's folder.
    package static func write(
        _ spec: Kernelspec, name: String, in kernels: String, replace: Bool
    ) throws(RelayError) -> String {
        try SpecName.check(name)
        let folder = "\(kernels)/\(name)"
        let isThere = try mayWrite(folder, replace: replace)
        do {
            try FileManager.default.createDirectory(atPath: kernels, withIntermediateDirectories: true)
        } catch {
            throw RelayError(.specFolder, kernels, cause: errorText(errno))
        }
        // Beside `kernels` and not in it: Jupyter may look at any moment.
        let temporary = try makeTemporary(beside: kernels)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        for file in [("kernel.json", spec.text)] + Logos.files.map({ ($0.name, $0.bytes) }) {
            try fill("\(temporary)/\(file.0)", with: file.1)
        }
        // mkdtemp makes it for its owner alone; a kernel under a prefix is for all who use that.
        guard chmod(temporary, 0o755) == 0 else { throw failure(temporary) }
        if isThere {
            try exchange(temporary, folder)
        } else if rename(temporary, folder) != 0 {
            throw errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR
                ? RelayError(.specExists, folder) : failure(folder)
        }
        return folder
    }

    /// Whether something is there, which then is ours and may go.
    private static func mayWrite(_ folder: String, replace: Bool) throws(RelayError) -> Bool {
        var facts = stat()
        guard lstat(folder, &facts) == 0 else { return false }
        // A link leads to files that are kept elsewhere.
        guard facts.st_mode & S_IFMT == S_IFDIR, InstalledSpec.read(folder) != nil else {
            throw RelayError(.specForeign, folder)
        }
        guard replace else { throw RelayError(.specExists, folder) }
        return true
    }

    /// Takes the folder away, with all that is in it.
    package static func remove(_ installed: InstalledSpec) throws(RelayError) {
        let folder = installed.folder
        guard try mayWrite(folder, replace: true) else { throw RelayError(.specMissing, folder) }
        let kernels = String(folder.dropLast(installed.name.count + 1))
        let temporary = try makeTemporary(beside: kernels)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        // One step for whoever looks: never half a kernel.
        guard rename(folder, "\(temporary)/gone") == 0 else { throw failure(folder) }
    }

    private static func makeTemporary(beside kernels: String) throws(RelayError) -> String {
        var name = Array("\(kernels)/../.kernelrelay-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw failure(kernels) }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func exchange(_ new: String, _ old: String) throws(RelayError) {
        if renameat2(AT_FDCWD, new, AT_FDCWD, old, UInt32(KR_RENAME_EXCHANGE)) == 0 { return }
        // Some network filesystems cannot do that in one step.
        guard errno == EINVAL || errno == ENOSYS else { throw failure(old) }
        guard rename(old, "\(new)/old") == 0 else { throw failure(old) }
        if rename(new, old) != 0 {
            let error = failure(old)
            _ = rename("\(new)/old", old)
            throw error
        }
        try? FileManager.default.removeItem(atPath: "\(old)/old")
    }

    private static func fill(_ path: String, with bytes: [UInt8]) throws(RelayError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(path) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0 else { throw failure(path) }
    }

    private static func failure(_ path: String) -> RelayError {
        RelayError(.specFolder, path, cause: errorText(errno))
    }
}
