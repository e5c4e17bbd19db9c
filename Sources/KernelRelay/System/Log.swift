import Glibc
import RelayLink
import Synchronization

/// What relayd notes: one entry for each event, never one for each message, never a key or a value of an
/// environment. The last entries are kept; they are written to stderr once relayd turns that on, so that a program
/// that embeds a relay hears nothing.
package enum Log {
    /// What `relayd logs`, `relayd top` and the status report show.
    package static let ring = LogRing(limit: Tuning.logEntries)

    private struct Output {
        var isOn = false
        var file: LogFile?
        var lines = LogOutput()
    }
    private static let output = Mutex(Output())

    /// - Parameter file: what stderr may be, to be begun anew when it has grown.
    package static func turnOn(file: LogFile? = nil) {
        output.withLock { $0 = Output(isOn: true, file: file) }
    }

    /// - Parameter facts: names and values; the one named `kernel` is its id.
    package static func note(_ event: String, _ facts: KeyValuePairs<String, String> = [:]) {
        var entry = LogEntry(time: Timestamp.now(), event: event)
        for (name, value) in facts {
            // A gate's words are a stranger's.
            var short = ""
            short.unicodeScalars.append(contentsOf: value.unicodeScalars.prefix(Tuning.longestFact))
            if name == "kernel" { entry.kernel = short } else { entry.facts[name] = short }
        }
        ring.append(entry)
        output.withLock { output in
            guard output.isOn else { return }
            output.lines.write(LogLine.text(entry), to: STDERR_FILENO)
            output.file?.renew(STDERR_FILENO)
        }
    }
}
