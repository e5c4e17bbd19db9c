import Glibc
import RelayLink

/// The environment of the exec that started the gate, as kernels get it.
package struct Environment: Sendable, Equatable {
    package var values: [String: String]

    package init(_ values: [String: String]) { self.values = values }

    /// This process's own.
    package static var current: Environment {
        var values: [String: String] = [:]
        var entry = environ
        while let line = entry.pointee {
            let text = String(cString: line)
            if let equals = text.firstIndex(of: "=") {
                values[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return Environment(values)
    }

    /// As a kernel gets it: with what the launch adds or takes away, and without what would harm it.
    ///
    /// - Parameter login: of the user, where one was asked for; else everything is the exec's.
    package func forKernel(
        adding changes: [String: String?], login: Login? = nil, mark: (name: String, value: String)
    ) -> Self {
        var result = self
        if let login { result.change(by: login, unless: changes) }
        for (name, value) in changes { result.values[name] = value }
        // The notebook server's pid means nothing here, and ipykernel would end as soon as it saw another
        // parent. Given the gate's, it ends when the gate is killed. As pid 1 the gate is what an orphan's
        // parent looks like, and nothing is said.
        result.values["JPY_PARENT_PID"] = getpid() == 1 ? nil : String(getpid())
        result.values[mark.name] = mark.value
        if result.values["PATH"] == nil { result.values["PATH"] = Self.usualPath }
        if result.values["HOME"]?.isEmpty ?? true { result.values["HOME"] = Account.current.home ?? "/" }
        return result
    }

    package static let usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    package var lines: [String] { values.map { "\($0.key)=\($0.value)" }.sorted() }
}

extension Account {
    /// The gate's own user, by the container's file.
    package static let current = Account(uid: getuid(), in: SmallFile.text("/etc/passwd") ?? "")
}

extension Environment {
    /// On a read-only root Python finds no folder for temporary files and will not start; the kernel's own
    /// serves.
    mutating func ensureTemporaryFolder(or folder: String) {
        let usual = ["TMPDIR", "TEMP", "TMP"].compactMap { values[$0] } + ["/tmp", "/var/tmp", "/usr/tmp"]
        if !usual.contains(where: { access($0, W_OK | X_OK) == 0 }) { values["TMPDIR"] = folder }
    }
}
