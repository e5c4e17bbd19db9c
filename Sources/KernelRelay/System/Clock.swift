extension ContinuousClock.Instant {
    /// Milliseconds from `now` to this instant, rounded up and never negative: what a wait call takes.
    package func milliseconds(from now: ContinuousClock.Instant) -> Int32 {
        let left = now.duration(to: self)
        guard left > .zero else { return 0 }
        let parts = left.components
        let whole = parts.seconds.multipliedReportingOverflow(by: 1000)
        guard !whole.overflow else { return .max }
        return Int32(clamping: whole.partialValue + parts.attoseconds / 1_000_000_000_000_000 + 1)
    }
}

extension Duration {
    /// For those that count in floating point.
    package var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}
