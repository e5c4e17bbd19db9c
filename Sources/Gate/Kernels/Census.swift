import Glibc
import RelayLink

/// How many kernels run in the container, whichever gate started them: what they run carries their marks.
enum Census {
    static func kernels(besides own: [Kernel]) -> Int {
        let running = own.filter { $0.exit == nil }
        let ours = Set(running.map(\.mark.number))
        var others: Set<UInt64> = []
        for entry in ProcessTable.read()?.entries ?? [] where !entry.isZombie {
            guard let number = ProcessTable.lockLimit(of: entry.pid), Mark.numbers.contains(number),
                !ours.contains(number)
            else { continue }
            others.insert(number)
        }
        return running.count + others.count
    }

    /// Held by a gate while it counts and starts: two that did so at once would start one too many. Nothing where another
    /// is at it.
    static func turn() throws(GateError) -> Int32? {
        try Sockets.listen(abstract: "kernelrelay-spawn-\(JoinPoint.place)")
    }
}
