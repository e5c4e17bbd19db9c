import Glibc

/// The processes of one kernel.
struct Tree {
    let leader: Int32
    private let mark: Mark
    private let started: UInt64

    init(leader: Int32, mark: Mark) {
        self.leader = leader
        self.mark = mark
        started = ProcessTable.Entry(pid: leader)?.started ?? 0
    }

    /// Those that are alive; nothing where /proc cannot be read.
    ///
    /// Members are the leader, its session, whatever carries the mark, and all descendants of these.
    func living() -> [Int32]? {
        guard let table = ProcessTable.read() else { return nil }
        let own = getpid()
        let ownSession = getsid(0)
        // Whatever is older than the kernel is no child of it, nor what never left the gate's own session; a
        // thread of the system's, or a process whose session began outside of the container, has session 0.
        let candidates = table.entries.filter {
            $0.pid != own && !$0.isZombie && $0.started >= started && $0.session != 0
                && $0.session != ownSession
        }
        var members = Set(
            candidates.lazy.filter { $0.pid == leader || $0.session == leader || mark.isOn($0.pid) }.map(
                \.pid))
        var grew = true
        while grew {
            grew = false
            for entry in candidates where members.contains(entry.parent) {
                if members.insert(entry.pid).inserted { grew = true }
            }
        }
        return Array(members)
    }
}
