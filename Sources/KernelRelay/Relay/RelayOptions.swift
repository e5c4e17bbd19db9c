/// What tells a gate which kernel a connection is for, and that it may have it.
public struct GateCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    /// The kernel's id; the user name of a connection is `<kernel>/<channel>`.
    public let kernel: String
    package let token: String

    /// - Parameters:
    ///   - kernel: the kernel's id.
    ///   - token: the password; it is never shown.
    public init(kernel: String, token: String) {
        self.kernel = kernel
        self.token = token
    }

    public var description: String { "credentials for \(kernel)" }
    public var customMirror: Mirror { Mirror(self, children: ["kernel": kernel]) }
}

/// How a relay differs from the usual one.
public struct RelayOptions: Sendable {
    /// Set when a gate stands before the kernel: connections then open with the PLAIN mechanism.
    public var credentials: GateCredentials?

    /// Bytes that the relay holds on each channel for clients that are slower than the kernel, before the
    /// kernel is made to wait. Less than one message cannot be held.
    public var holdLimit: Int = Tuning.holdLimit

    /// No gate, and a hold of 64 MiB.
    public init() {}
}
