import CCrypto
import CZMQ
import FoundationEssentials
import Glibc
import Host
import RelayLink

/// What somebody who is to help needs to know, in one file without secrets: what the doctor found, versions, status,
/// the end of the log, what inspect says of ports, mounts and state, and the kernelspecs' commands.
package struct ReportFile: Sendable {
    private let report: DoctorReport
    private let chart: Chart
    private let redactor: Redactor

    package init(_ report: DoctorReport, _ chart: Chart) {
        self.report = report
        self.chart = chart
        redactor = Redactor(chart.secrets, values: chart.values)
    }

    /// Readable by its owner alone.
    package func write(to path: String) throws(RelayError) { try PrivateFile.write(text, to: path) }

    /// Laid out for people: whoever sends it should read it first.
    package var text: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // What was written by this program's own JSON can be read again.
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(content.encoded)),
            let data = try? encoder.encode(value)
        else { return [] }
        return Array(data) + [UInt8(ascii: "\n")]
    }

    package var content: JSON {
        redactor.clean([
            "schema_version": .whole(DoctorReport.schemaVersion), "doctor": report.json, "versions": versions,
            "status": chart.status ?? .null, "log": .array(log.map { .string($0) }),
            "container": container, "kernelspecs": .array(chart.specs.map(Self.spec)),
        ])
    }

    private var versions: JSON {
        var (major, minor, patch) = (Int32(0), Int32(0), Int32(0))
        zmq_version(&major, &minor, &patch)
        var system = utsname()
        uname(&system)
        func text<Field>(_ field: Field) -> JSON {
            withUnsafeBytes(of: field) { .string(String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)) }
        }
        return [
            "release": .string(ControlProtocol.release), "protocol": .whole(ControlProtocol.version),
            "libzmq": .string("\(major).\(minor).\(patch)"),
            "libcrypto": .string(OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? ""),
            "system": text(system.release), "machine": text(system.machine),
            "client": chart.clientVersion.map { .string($0) } ?? .null,
            "server": chart.serverVersion.map { .string($0) } ?? .null,
        ]
    }

    private var log: [String] {
        guard let path = chart.folder?.log, let bytes = Self.end(of: path, bytes: 256 * 1024) else {
            return []
        }
        return String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)

            // Cleaned before it is cut: half a secret is one that nothing recognises.
            .suffix(Tuning.reportedLines).map { RelayLink.printable(redactor.clean(String($0)), limit: 1000) }
    }

    private static func end(of path: String, bytes limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let size = lseek(descriptor, 0, SEEK_END)
        let start = max(0, size - limit)
        let count = pread(descriptor, &bytes, limit, start)
        guard size > 0, count > 0 else { return nil }
        // The first line may be half a line, and so half a secret that nothing would recognise.
        let whole = bytes[..<count]
        return start == 0 ? Array(whole) : Array(whole.drop { $0 != UInt8(ascii: "\n") })
    }

    /// No label: anybody may have written anything into those.
    private var container: JSON {
        guard let container = chart.container else { return .null }
        let published = container.published.map { port, hosts in
            (
                String(port),
                JSON.array(hosts.map { .string("\($0.isEverywhere ? "*" : $0.address):\($0.port)") })
            )
        }
        var fields: [String: JSON] = [
            // The whole id looks like a key.
            "id": .string(String(container.id.prefix(12))), "name": .string(container.name),
            "state": .string(container.state.rawValue), "exit_code": .whole(container.exitCode),
            "image": .string(container.image), "user": .string(container.user),
            "published": .object(Dictionary(uniqueKeysWithValues: published)),
            "addresses": .array(container.addresses.map { .string($0) }),
            "read_only": .bool(container.isRootReadOnly),
        ]
        fields.merge(chart.facts?.json.fields ?? [:]) { first, _ in first }
        return .object(fields)
    }

    private static func spec(_ installed: InstalledSpec) -> JSON {
        [
            "name": .string(installed.name), "file": .string(installed.file),
            "container": .string(installed.spec.placeName), "hidden": .bool(installed.isShadowed),
            "argv": .array(installed.spec.argv.map { .string($0) }),
            "variables": .array(installed.spec.variables.keys.sorted().map { .string($0) }),
        ]
    }
}

extension Chart {
    /// What is known to be secret, wherever it may have got to.
    package var secrets: [String] {
        var all = variables.filter { SecretName.isSecret($0.name) }.map(\.value)
        if let folder, let secret = try? PrivateFile.read("\(folder.path)/secret", limit: 4096) {
            all.append(String(decoding: secret, as: UTF8.self))
        }
        return all
    }

    /// What else the container's environment and the kernelspecs' hold. It is left out of what is sent to others; on
    /// one's own screen it would only take findings apart.
    package var values: [String] {
        let container = facts?.environment ?? []
        let specs = specs.flatMap { $0.spec.variables.values }
        return container.filter { !SecretName.isSecret($0.name) }.map(\.value) + specs
    }

    private var variables: [InspectFacts.Variable] {
        let caller = subject.environment.map { InspectFacts.Variable(name: $0.key, value: $0.value) }
        let specs = specs.flatMap { $0.spec.variables }.map {
            InspectFacts.Variable(name: $0.key, value: $0.value)
        }
        return caller + specs + (facts?.environment ?? [])
    }
}
