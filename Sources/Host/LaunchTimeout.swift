import RelayLink

/// A launch's limit of time as it stands behind `--launch-timeout`: seconds.
package enum LaunchTimeout {
    /// In milliseconds.
    package static func read(_ text: String) throws(HostError) -> Int64 {
        guard let seconds = Int64(text), (1...86_400).contains(seconds) else {
            throw HostError(
                .usage, "--launch-timeout takes whole seconds from 1 to 86400, not \(printable(text))")
        }
        return seconds * 1000
    }
}
