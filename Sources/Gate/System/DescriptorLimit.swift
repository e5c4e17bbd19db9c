import Glibc

/// The limit of open descriptors: the gate takes all it may have, kernels get what they would have had.
enum DescriptorLimit {
    private static let number = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    /// The soft limit that this process began with.
    private static let original: rlim_t = current.rlim_cur

    private static var current: rlimit {
        var limit = rlimit()
        getrlimit(number, &limit)
        return limit
    }

    static func raise() {
        var limit = rlimit(rlim_cur: original, rlim_max: current.rlim_max)
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 65536))
        setrlimit(number, &limit)
    }

    /// Back to the original, for a child to inherit. Returns what `restore` takes.
    static func lower() -> rlimit {
        let raised = current
        var limit = raised
        limit.rlim_cur = min(original, raised.rlim_max)
        setrlimit(number, &limit)
        return raised
    }

    static func restore(_ limit: rlimit) {
        var limit = limit
        setrlimit(number, &limit)
    }
}
