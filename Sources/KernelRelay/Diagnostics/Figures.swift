/// Figures as a person reads them: few digits, and a unit.
package enum Figures {
    package static func bytes(_ count: Int) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 1000, unit + 1 < units.count {
            value /= 1000
            unit += 1
        }
        return "\(unit == 0 ? String(count) : digits(value)) \(units[unit])"
    }

    package static func duration(_ duration: Duration) -> String {
        let seconds = max(0, duration.seconds)
        return switch seconds {
        case ..<0.001: "\(digits(seconds * 1_000_000)) µs"
        case ..<1: "\(digits(seconds * 1000)) ms"
        case ..<120: "\(digits(seconds)) s"
        case ..<7200: "\(Int(seconds / 60)) min"
        case ..<172_800: "\(Int(seconds / 3600)) h"
        default: "\(Int(seconds / 86400)) days"
        }
    }

    /// Of a share that a stranger may have told: whatever it is, a number of few digits.
    package static func percent(_ share: Double) -> Int {
        share.isNaN ? 0 : Int((min(max(share, 0), 99) * 100).rounded())
    }

    /// Two digits that count, or all before the point.
    package static func digits(_ value: Double) -> String {
        if value >= 9.95 { return String(Int(value.rounded())) }
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? String(tenths / 10) : "\(tenths / 10).\(tenths % 10)"
    }
}
