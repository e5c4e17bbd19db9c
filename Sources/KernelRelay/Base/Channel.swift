/// One of the five conversations between a Jupyter client and a kernel.
public enum Channel: String, CaseIterable, Sendable, Codable {
    /// Requests to the kernel and their replies.
    case shell
    /// What the kernel publishes: output, status, comms.
    case iopub
    /// The kernel's questions to the person (`input()`), and the answers.
    case stdin
    /// Requests that must not wait behind a running cell: interrupt, shutdown, the debugger.
    case control
    /// The heartbeat: bytes that come back as they went.
    case hb
}

/// Which way a message travels through a relay.
public enum Direction: String, CaseIterable, Sendable, Codable {
    /// From the notebook's side to the kernel's.
    case toKernel
    /// From the kernel's side to the notebook's.
    case toClient
}
