/// Figures in few letters, each with its unit. What is not known is a dash.
package enum Quantity {
    package static func duration(_ seconds: Double?) -> String {
        guard let seconds, seconds >= 0 else { return "-" }
        return switch seconds {
        case ..<120: "\(whole(seconds)) s"
        case ..<7200: "\(whole(seconds / 60)) min"
        case ..<172_800: "\(whole(seconds / 3600)) h"
        default: "\(whole(seconds / 86_400)) d"
        }
    }

    package static func milliseconds(_ value: Double?) -> String {
        guard let value, value >= 0 else { return "-" }
        return switch value {
        case ..<10: "\(hundredths(value)) ms"
        case ..<9999.5: "\(whole(value.rounded())) ms"
        default: "\(whole((value / 1000).rounded())) s"
        }
    }

    package static func bytes(_ value: Double?) -> String {
        guard let value, value >= 0 else { return "-" }
        return scaled(value, ["B", "kB", "MB", "GB", "TB"], gap: " ")
    }

    /// How many in a second, or in all.
    package static func count(_ value: Double?) -> String {
        guard let value, value >= 0 else { return "-" }
        // A tenth of a message in a second is not nothing.
        if value > 0, value < 10, value != value.rounded() { return tenths(max(value, 0.1)) }
        return scaled(value, ["", "k", "M", "G", "T"], gap: "")
    }

    package static func percent(_ value: Double?) -> String {
        guard let value, value >= 0 else { return "-" }
        return value > 0 && value < 10 ? "\(tenths(value)) %" : "\(whole(value.rounded())) %"
    }

    private static func scaled(_ value: Double, _ units: [String], gap: String) -> String {
        var value = value
        var unit = 0
        while value >= 999.5, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        let figure = unit > 0 && value < 9.95 ? tenths(value) : "\(whole(value.rounded()))"
        return figure + gap + units[unit]
    }

    private static func tenths(_ value: Double) -> String {
        let number = whole((value * 10).rounded())
        return "\(number / 10).\(number % 10)"
    }

    private static func hundredths(_ value: Double) -> String {
        let number = whole((value * 100).rounded())
        return "\(number / 100).\(number % 100 < 10 ? "0" : "")\(number % 100)"
    }

    /// A report may say anything.
    private static func whole(_ value: Double) -> Int { Int(min(max(value, 0), 1e15)) }
}
