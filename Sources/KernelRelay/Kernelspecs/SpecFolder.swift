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
    ///   - isSuch: which of ours.
    /// - Returns: the kernel's folder.
    package static func write(
        _ spec: Kernelspec, name: String, in kernels: String, replace: Bool,
        where isSuch: (Kernelspec) -> Bool = { _ in true }
    ) throws(RelayError) -> String {
        let folders = try SpecBatch.write(
            [.init(name: name, spec: spec)], in: kernels, replace: replace, where: isSuch)
        return folders[0]
    }

    /// Writes kernel.json and the logos into a folder that nobody sees yet.
    ///
    /// - Parameter isOnesOwn: whether the kernel is for its owner alone; one under a prefix is for all who use that.
    static func fill(
        _ temporary: String, with spec: Kernelspec, as name: String, isOnesOwn: Bool
    ) throws(RelayError) {
        let isSecret = isOnesOwn && !spec.variables.isEmpty
        try fill("\(temporary)/kernel.json", with: spec.text(as: name), mode: isSecret ? 0o600 : 0o644)
        for file in Logos.files { try fill("\(temporary)/\(file.name)", with: file.bytes, mode: 0o644) }
        // mkdtemp makes it for its owner alone.
        guard isSecret || chmod(temporary, 0o755) == 0 else { throw failure(temporary) }
    }

    /// Whether something is there, which then is ours and may go.
    static func mayWrite(
        _ folder: String, replace: Bool, _ isSuch: (Kernelspec) -> Bool = { _ in true }
    ) throws(RelayError) -> Bool {
        var facts = stat()
        guard lstat(folder, &facts) == 0 else { return false }
        // A link leads to files that are kept elsewhere.
        guard facts.st_mode & S_IFMT == S_IFDIR, let spec = InstalledSpec.read(folder), isSuch(spec) else {
            throw RelayError(.specForeign, folder)
        }
        guard replace else { throw RelayError(.specExists, folder) }
        return true
    }

    /// Takes the folder away, with all that is in it.
    package static func remove(
        _ installed: InstalledSpec, where isSuch: (Kernelspec) -> Bool = { _ in true }
    ) throws(RelayError) {
        let folder = installed.folder
        guard try mayWrite(folder, replace: true, isSuch) else { throw RelayError(.specMissing, folder) }
        let kernels = String(folder.dropLast(installed.name.count + 1))
        let temporary = try makeTemporary(beside: kernels)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        // One step for whoever looks: never half a kernel.
        guard rename(folder, "\(temporary)/gone") == 0 else { throw failure(folder) }
    }

    static func makeTemporary(beside kernels: String) throws(RelayError) -> String {
        var name = Array("\(kernels)/../.kernelrelay-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw failure(kernels) }
        return String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func exchange(_ new: String, _ old: String) throws(RelayError) {
        if renameat2(AT_FDCWD, new, AT_FDCWD, old, UInt32(KR_RENAME_EXCHANGE)) == 0 { return }
        // Some network filesystems cannot do that in one step.
        guard errno == EINVAL || errno == ENOSYS else { throw failure(old) }
        guard rename(old, "\(new)/old") == 0 else { throw failure(old) }
        if rename(new, old) != 0 {
            let error = failure(old)
            _ = rename("\(new)/old", old)
            throw error
        }
        // Where an exchange puts it.
        _ = rename("\(old)/old", new)
    }

    private static func fill(_ path: String, with bytes: [UInt8], mode: mode_t) throws(RelayError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
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

    static func failure(_ path: String) -> RelayError {
        RelayError(.specFolder, path, cause: errorText(errno))
    }
}
