import Host

/// How long kernels may run that nobody has a link to: their relayd and their shims were killed, and no other relayd
/// has come for them.
enum OrphanTime {
    /// Seconds in place of those that a container's kind asks for; for whoever wants an end sooner or later.
    private static let given = CurrentEnvironment.variables["KERNELRELAY_ORPHAN_SECONDS"]
        .flatMap { Int64($0) }.flatMap { (1...86400).contains($0) ? $0 : nil }

    /// After this a gate ends its kernels.
    static func seconds(in container: Container) -> Int64 {
        given ?? (container.isMadeForKernel ? Tuning.orphanAlone : Tuning.orphanAmongOthers)
    }

    /// After this a container ends that was made for one kernel: a little later than its gate.
    static var unusedSeconds: Int64 { given ?? Tuning.unusedContainer }
}
