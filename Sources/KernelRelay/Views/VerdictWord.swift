/// A verdict as it is shown: how it is coloured, and how bad it is.
package enum VerdictWord {
    /// The worst first.
    private static let inOrder = [
        "kernel-dead", "container-gone", "container-stopped", "engine-unreachable", "gate-lost", "failed",
        "not-answering", "container-paused", "slow-client", "starting", "busy", "ok", "ended",
    ]

    /// One that is not known is looked at first.
    package static func rank(_ word: String) -> Int { inOrder.firstIndex(of: word) ?? -1 }

    /// The same as on the page. One of which nothing is to be said yet, or no more, or that is not known, is none of these.
    package static func style(_ word: String) -> StyledLine.Style {
        switch word {
        case "ok": .good
        case "busy", "slow-client": .warn
        case "not-answering", "kernel-dead", "container-paused", "container-stopped", "container-gone",
            "gate-lost", "engine-unreachable", "failed":
            .bad
        default: .faint
        }
    }

    package static func text(_ verdict: Reading.Verdict) -> String {
        verdict.since.map { "\(verdict.word) \(Quantity.duration($0))" } ?? verdict.word
    }

    /// A lamp of the ladder, told apart by its shape as well.
    package static func lamp(_ lamp: String, _ look: Look) -> (text: String, style: StyledLine.Style) {
        switch lamp {
        case "good": (look.unicode ? "●" : "+", .good)
        case "warn": (look.unicode ? "▲" : "!", .warn)
        case "bad": (look.unicode ? "✖" : "x", .bad)
        default: (look.unicode ? "○" : ".", .faint)
        }
    }
}
