import Glibc
import RelayLink

/// What /proc says of one kernel's process.
enum ProcessVitals {
    private static let ticks = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    private static let page = Int64(max(1, sysconf(Int32(_SC_PAGESIZE))))

    static func of(_ kernel: Kernel) -> GateVitals.Kernel {
        var vitals = GateVitals.Kernel(kernel: kernel.id, pid: kernel.pid, state: .gone)
        guard kernel.hasProcess, let stat = SmallFile.read("/proc/\(kernel.pid)/stat", limit: 4096) else {
            return vitals
        }
        read(stat, into: &vitals)
        return vitals
    }

    /// The name in it is the process's own choice, and may hold anything.
    static func read(_ stat: [UInt8], into vitals: inout GateVitals.Kernel) {
        guard let end = stat.lastIndex(of: UInt8(ascii: ")")) else { return }
        let fields = stat[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 21, let letter = fields[0].first else { return }
        func number(_ index: Int) -> Int64 { Int64(String(decoding: fields[index], as: UTF8.self)) ?? 0 }
        vitals.state = state(letter)
        let used = (11...14).reduce(Int64(0)) { $0 &+ max(0, number($1)) }
        vitals.cpuMilliseconds = max(0, used &* 1000 / ticks)
        vitals.memoryBytes = max(0, number(21)) &* page
    }

    private static func state(_ letter: UInt8) -> GateVitals.ProcessState {
        switch letter {
        case UInt8(ascii: "R"): .running
        case UInt8(ascii: "D"): .waiting
        case UInt8(ascii: "T"), UInt8(ascii: "t"): .stopped
        case UInt8(ascii: "Z"): .zombie
        case UInt8(ascii: "X"): .gone
        default: .sleeping
        }
    }
}
