import RelayLink

/// What a container's Python says of itself.
package struct PythonSurvey: Sendable, Equatable {
    package let executable: String
    package let version: String
    /// Nothing where it is not installed.
    package let ipykernel: String?
    package let location: String?
    package let hasPip: Bool
    /// The distribution wants its own packages to be used (PEP 668).
    package let isManaged: Bool
    /// The user may write where packages go.
    package let isWritable: Bool

    /// One line of JSON; from Python 3.4 on. Nothing is imported but what comes with Python: that is quick, and what is
    /// broken in ipykernel shows when it is started.
    static let script = """
        import json, os, sys, sysconfig
        def version(name):
            try:
                from importlib.metadata import version
                return version(name)
            except Exception:
                return None
        def place(name):
            try:
                from importlib.util import find_spec
                return find_spec(name).origin
            except Exception:
                return None
        print(json.dumps({
            "executable": sys.executable,
            "version": ".".join(map(str, sys.version_info[:3])),
            "ipykernel": version("ipykernel"),
            "location": place("ipykernel"),
            "pip": place("pip") is not None,
            "managed": sys.prefix == getattr(sys, "base_prefix", sys.prefix)
                and os.path.exists(os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")),
            "writable": os.access(sysconfig.get_path("purelib"), os.W_OK),
        }))
        """

    /// Its answer is the last line: what a site configuration prints comes before.
    package init?(answer: String) {
        guard let line = answer.split(whereSeparator: \.isNewline).last,
            let fields = (try? JSON(parsing: Array(line.utf8)))?.fields,
            let executable = fields["executable"]?.text, executable.hasPrefix("/"),
            let version = fields["version"]?.text
        else { return nil }
        self.executable = RelayLink.printable(executable, limit: 1000)
        self.version = RelayLink.printable(version)
        location = fields["location"]?.text.map { RelayLink.printable($0, limit: 1000) }
        // Found, and of no version: a checkout on the path.
        ipykernel =
            fields["ipykernel"]?.text.map { RelayLink.printable($0) }
            ?? (location == nil ? nil : "of no version")
        hasPip = fields["pip"]?.flag ?? false
        isManaged = fields["managed"]?.flag ?? false
        isWritable = fields["writable"]?.flag ?? false
    }

    /// Major and minor number.
    static func isOlder(_ version: String, than major: Int, _ minor: Int) -> Bool {
        let parts = version.split(separator: ".").prefix(2).compactMap { Int($0) }
        guard parts.count == 2 else { return false }
        return (parts[0], parts[1]) < (major, minor)
    }
}

/// How a container's distribution installs what a kernel needs, by the ID in its /etc/os-release.
package enum Distribution: String, Sendable, CaseIterable {
    case debian, ubuntu, alpine, fedora, arch

    /// - Parameter answer: of `cp`, and so an archive with the file in it.
    package init?(release answer: String) {
        let line = answer.split(whereSeparator: \.isNewline).first { $0.hasPrefix("ID=") }
        guard let name = line?.dropFirst(3).filter({ $0 != "\"" }) else { return nil }
        self.init(rawValue: String(name))
    }

    package var install: [String] {
        switch self {
        case .debian, .ubuntu: ["sh", "-c", "apt-get update && apt-get install -y python3-ipykernel"]
        case .alpine: ["apk", "add", "py3-ipykernel"]
        case .fedora: ["dnf", "install", "-y", "python3-ipykernel"]
        case .arch: ["pacman", "-Sy", "--noconfirm", "python-ipykernel"]
        }
    }
}
