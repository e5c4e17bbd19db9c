import Glibc

/// A moment as ISO 8601, in UTC.
package enum Timestamp {
    package static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return text(seconds: time.tv_sec, milliseconds: time.tv_nsec / 1_000_000)
    }

    package static func text(seconds: time_t, milliseconds: Int) -> String {
        var seconds = seconds
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let length = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%S", &parts)
        let second = String(decoding: text[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let thousandths = String(milliseconds)
        return "\(second).\(String(repeating: "0", count: max(0, 3 - thousandths.count)))\(thousandths)Z"
    }
}
