import Host
import RelayLink

/// The kernel that a container's labels ask for: all that is taken from them.
///
/// A label may be the image's, and so a stranger's. It says what is run in its own container and what that is called,
/// and nothing else: no word of it is the engine's client's, or a command of this host; nor does it make the kernel
/// somebody whom the container's own user is not allowed to be.
package struct DiscoveredKernel: Sendable, Equatable {
    package let reference: ContainerReference
    package var displayName: String
    package let language: String
    /// For relay-shim.
    package let options: [String]

    /// Nothing for a container that does not run, or has no label for us.
    package init?(_ container: Container) {
        guard container.isUp, !container.isMadeForKernel, let text = container.labels[Labels.displayName]
        else { return nil }
        let name = Self.clean(text)
        guard !name.isEmpty else { return nil }
        displayName = name
        // A service of compose is found again when it is made anew.
        reference = container.service ?? .name(container.name)
        let command = container.labels[Labels.command].flatMap(Self.command)
        language = KernelLanguage.of(command)
        var options: [String] = []
        if let user = container.labels[Labels.user], Self.mayBe(user, in: container) {
            options += ["--user", user]
        }
        if let folder = container.labels[Labels.workdir], Self.isFolder(folder) {
            options += ["--workdir", folder]
        }
        if let command { options += ["--cmd", command] }
        self.options = options
    }

    /// The same container by its name alone: where a service has several.
    func named(_ container: Container) -> DiscoveredKernel {
        DiscoveredKernel(
            reference: .name(container.name), displayName: displayName, language: language, options: options)
    }

    private init(
        reference: ContainerReference, displayName: String, language: String, options: [String]
    ) {
        self.reference = reference
        self.displayName = displayName
        self.language = language
        self.options = options
    }

    /// On one line, of a length that a launcher can show, and with nothing in it that is not seen.
    static func clean(_ text: String) -> String {
        let words = text.unicodeScalars.split(whereSeparator: \.properties.isWhitespace).map {
            String(String.UnicodeScalarView($0.filter(\.isPrintable)))
        }
        let line = words.filter { !$0.isEmpty }.joined(separator: " ")
        return String(String.UnicodeScalarView(line.unicodeScalars.prefix(Tuning.longestDisplayName)))
    }

    /// What nobody could read as shell words or a list is no command. Nothing of it is run here.
    private static func command(_ text: String) -> String? {
        guard text.utf8.count <= Tuning.longestLabel, (try? CommandWords.read(text)) != nil else {
            return nil
        }
        return text
    }

    /// Where the container's own user is root every other is less. Where a person made it somebody, a label does not
    /// undo that.
    private static func mayBe(_ user: String, in container: Container) -> Bool {
        guard ["", "0", "root", "0:0", "root:root"].contains(container.user) else { return false }
        let parts = user.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count <= 2 && parts.allSatisfy(ContainerReference.isComposeName)
    }

    private static func isFolder(_ path: String) -> Bool {
        path.hasPrefix("/") && path.utf8.count <= Tuning.longestLabel
            && path.unicodeScalars.allSatisfy(\.isPrintable)
    }
}
