import RelayLink

/// A gate that has answered.
package struct OpenGate: Sendable {
    package let channel: FrameChannel
    /// What it said to hello: welcome or failed.
    package let first: GateReport
    /// The engine's client, by which it is reached.
    package let process: ChildProcess
    /// What the client writes to stderr, for the time when it ends.
    package let complaints: StreamCapture

    /// Hangs up. The gate lives on, by its own rules.
    package func close() {
        channel.close()
        process.kill()
    }
}
