extension Observation.Trouble {
    /// Why there is no kernel, as everybody else is told.
    init(_ explanation: Explanation) {
        self.init(
            code: explanation.code, finding: explanation.finding, text: explanation.text,
            command: explanation.commands.first, advice: explanation.advice)
    }
}
