/// Which checks there are, from the ground up.
extension Examination {
    /// - Parameter container: whether one is to be looked at, or the host alone.
    package static func checks(container: Bool) -> [Check] {
        let host = Check.host + Check.engine + Check.specs
        guard container else { return host }
        return host + Check.container + Check.ports + Check.gate + Check.interpreter + Check.trial
    }
}
