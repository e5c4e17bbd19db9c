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
    /// What is negative counts as nothing, what is longer than five centuries as that.
    package var nanoseconds: UInt64 {
        let parts = components
        if parts.seconds < 0 || parts.attoseconds < 0 { return 0 }
        let whole = UInt64(parts.seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return whole.overflow ? .max : whole.partialValue &+ UInt64(parts.attoseconds / 1_000_000_000)
    }

    /// For those that count in floating point.
    package var seconds: Double {
        let parts = components
        return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
    }
}
