import FoundationEssentials
import Glibc

/// Where Jupyter looks for kernels, after jupyter_core's rules for Linux.
package struct JupyterFolders: Sendable {
    /// Where a kernel is to be installed, in `jupyter kernelspec install`'s words.
    package enum Place: Sendable, Equatable {
        case user
        /// The virtual or conda environment that is active, else python3's own.
        case sysPrefix
        case prefix(String)
    }

    /// Set when nothing else is to be looked at.
    package var only: String?
    private let environment: [String: String]
    private let pythonPrefix: @Sendable () -> String?

    /// - Parameter pythonPrefix: asked only where the environment does not say it.
    package init(
        environment: [String: String], pythonPrefix: @escaping @Sendable () -> String? = Self.askPython
    ) {
        self.environment = environment
        self.pythonPrefix = pythonPrefix
    }

    /// The folder that holds a folder for each kernel.
    package func kernels(_ place: Place) throws(RelayError) -> String {
        switch place {
        case .user: return "\(userData)/kernels"
        case .prefix(let prefix): return "\(absolute(prefix))/share/jupyter/kernels"
        case .sysPrefix:
            guard let prefix = sysPrefix else {
                throw RelayError(.specFolder, "no VIRTUAL_ENV, no CONDA_PREFIX, and no python3 to ask")
            }
            return "\(prefix)/share/jupyter/kernels"
        }
    }

    /// All of them, those first that win when two kernels have one name.
    package var search: [String] {
        if let only { return [only] }
        var folders = variable("JUPYTER_PATH")?.split(separator: ":").map(String.init) ?? []
        folders.append(userData)
        if let prefix = sysPrefix { folders.append("\(prefix)/share/jupyter") }
        folders += ["/usr/local/share/jupyter", "/usr/share/jupyter"]
        var seen: Set<String> = []
        return folders.map { "\(absolute($0))/kernels" }.filter { seen.insert($0).inserted }
    }

    /// Where Jupyter's programs look for the connection files of running kernels; made where it is missing.
    package func runtime() throws(RelayError) -> String {
        let folder = variable("JUPYTER_RUNTIME_DIR").map(absolute) ?? "\(userData)/runtime"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw RelayError(.connectionNotWritten, folder, cause: errorText(errno))
        }
        return folder
    }

    private var userData: String {
        if let path = variable("JUPYTER_DATA_DIR") { return absolute(path) }
        if let path = variable("XDG_DATA_HOME") { return "\(absolute(path))/jupyter" }
        return "\(home)/.local/share/jupyter"
    }

    private var home: String {
        if let path = variable("HOME") { return absolute(path) }
        guard let entry = getpwuid(geteuid()), let path = entry.pointee.pw_dir else { return "/" }
        return String(cString: path)
    }

    private var sysPrefix: String? {
        (variable("VIRTUAL_ENV") ?? variable("CONDA_PREFIX") ?? pythonPrefix()).map(absolute)
    }

    private func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private func absolute(_ path: String) -> String {
        var path = path
        if !path.hasPrefix("/") { path = "\(FileManager.default.currentDirectoryPath)/\(path)" }
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    package static let askPython: @Sendable () -> String? = {
        guard let pipe = popen("exec python3 -c 'import sys; print(sys.prefix)' 2>/dev/null", "re") else {
            return nil
        }
        var line = [CChar](repeating: 0, count: Int(PATH_MAX) + 2)
        let got = fgets(&line, Int32(line.count), pipe)
        pclose(pipe)
        guard got != nil else { return nil }
        let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
        return bytes.first == UInt8(ascii: "/") ? String(decoding: bytes, as: UTF8.self) : nil
    }
}
