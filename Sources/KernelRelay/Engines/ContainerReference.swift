import RelayLink

/// What a person may write where a container is meant: its name or id; or what stays when it is made anew under
/// another id, a service of compose or a label.
///
///     dev      3f2a9c      compose:PROJECT/SERVICE      label:KEY=VALUE      label:KEY
///
/// No engine allows a colon in a name, so that none of these is another.
package enum ContainerReference: Sendable, Hashable {
    case name(String)
    case service(project: String, service: String)
    /// Whatever its value is where none is given.
    case label(key: String, value: String?)

    package init(_ text: String) throws(RelayError) {
        if text.hasPrefix("compose:") {
            let parts = text.dropFirst("compose:".count).split(
                separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts.allSatisfy(Self.isComposeName) else {
                throw Self.malformed(text, "compose:PROJECT/SERVICE")
            }
            self = .service(project: String(parts[0]), service: String(parts[1]))
        } else if text.hasPrefix("label:") {
            let parts = text.dropFirst("label:".count).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let key = parts.first, !key.isEmpty, text.unicodeScalars.allSatisfy(\.isPrintable) else {
                throw Self.malformed(text, "label:KEY=VALUE")
            }
            self = .label(key: String(key), value: parts.count == 2 ? String(parts[1]) : nil)
        } else {
            self = .name(text)
        }
    }

    private static func malformed(_ text: String, _ form: String) -> RelayError {
        RelayError(
            .containerMissing, "\u{201C}\(RelayLink.printable(text))\u{201D}", cause: "it is written \(form)")
    }

    /// What compose allows for projects and services: nothing that could be read in two ways.
    package static func isComposeName(_ text: some StringProtocol) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 200 else { return false }
        return isPlain(first)
            && text.utf8.allSatisfy {
                isPlain($0) || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains($0)
            }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// As it is written.
    package var text: String {
        switch self {
        case .name(let name): name
        case .service(let project, let service): "compose:\(project)/\(service)"
        case .label(let key, let value): "label:\(key)" + (value.map { "=\($0)" } ?? "")
        }
    }

    /// For a launcher: without the word that says what kind it is.
    package var title: String {
        switch self {
        case .name(let name): name
        case .service(let project, let service): "\(project)/\(service)"
        case .label(let key, let value): value.map { "\(key)=\($0)" } ?? key
        }
    }

    /// Found by labels, so that it may lead to another container tomorrow.
    package var isByLabel: Bool { if case .name = self { false } else { true } }

    /// What a container must carry, as `ps --filter label=` takes it.
    var filters: [String] {
        switch self {
        case .name: []
        case .service(let project, let service):
            [
                "\(Labels.composeProject)=\(project)", "\(Labels.composeService)=\(service)",
                Labels.composeNumber,
            ]
        case .label(let key, let value): [key + (value.map { "=\($0)" } ?? "")]
        }
    }
}

extension Container {
    /// By which it is found again when compose makes it anew.
    package var service: ContainerReference? {
        guard let project = labels[Labels.composeProject], let service = labels[Labels.composeService],
            labels[Labels.composeNumber] != nil,
            ContainerReference.isComposeName(project), ContainerReference.isComposeName(service)
        else { return nil }
        return .service(project: project, service: service)
    }

    /// Of a `compose run`, which is beside the service and ends with its command.
    var isOneOff: Bool { labels[Labels.composeOneOff]?.lowercased() == "true" }

    /// It has processes, whether or not they may run.
    package var isUp: Bool { state == .running || state == .paused }

    /// The same, and an error unless it runs.
    package func mustRun() throws(RelayError) -> Container {
        switch state {
        case .running: return self
        case .paused: throw RelayError(.containerPaused, name)
        default: throw RelayError(.containerStopped, name, cause: "it \(state.text)")
        }
    }

    /// The same, and an error where it was made for one kernel: it ends with that, whoever else is in it.
    package func mustBeForAll() throws(RelayError) -> Container {
        if isMadeForKernel { throw RelayError(.containerReserved, name) }
        return self
    }
}
