import Glibc
import Host
import RelayLink

/// The log on stdout: what a relayd knows, then what comes; of a file where none runs.
struct LogShow {
    let folder: RuntimeFolder
    let wanted: ControlRequest.Logs
    let asJSON: Bool

    func run() async throws {
        // Of a relayd that is started later everything is new.
        var wanted = wanted
        var shown = 0
        do throws(HostError) {
            shown = try await show(ControlClient(folder), wanted)
        } catch {
            guard error.code == .relaydAbsent else { throw error }
            shown = showFile()
        }
        guard wanted.follow else {
            if let kernel = wanted.kernel, shown == 0, wanted.lines > 0 {
                throw RelayError(.kernelUnknown, RelayLink.printable(kernel))
            }
            return
        }
        wanted.lines = 1_000_000
        while true {
            try await Task.sleep(for: .milliseconds(500))
            guard let client = try? ControlClient(folder) else { continue }
            _ = try await show(client, wanted)
        }
    }

    /// How many entries there were.
    private func show(_ client: consuming ControlClient, _ wanted: ControlRequest.Logs)
        async throws(HostError) -> Int
    {
        var count = 0
        do throws(Refusal) {
            try await client.listen(.logs(request: 1, wanted)) { report in
                guard case .logs(_, let logs) = report else { return true }
                if logs.missed > 0 { Complaint.say("[\(logs.missed) entries were missed]") }
                count += logs.entries.count
                StandardOutput.say(logs.entries.map(text))
                return logs.more
            }
            if wanted.follow { Complaint.say("[this relayd has ended; waiting for the next]") }
            return count
        } catch {
            throw HostError(.relaydProtocol, error.message)
        }
    }

    private func showFile() -> Int {
        Complaint.say("[no relayd runs; these are the last lines of \(folder.log)]")
        let lines = LogFile(folder.log).lastLines(.max)
        let kept = lines.compactMap { line -> (line: String, entry: LogEntry?)? in
            let entry = LogLine.entry(line)
            if let kernel = wanted.kernel, !(entry?.kernel?.hasPrefix(kernel) ?? false) { return nil }
            return asJSON && entry == nil ? nil : (line, entry)
        }
        StandardOutput.say(
            kept.suffix(Int(wanted.lines)).map { line, entry in
                entry.map(text) ?? RelayLink.printable(line, limit: 4096)
            })
        return kept.count
    }

    private func text(_ entry: LogEntry) -> String {
        asJSON ? String(decoding: entry.json.encoded, as: UTF8.self) : LogLine.text(entry)
    }
}
