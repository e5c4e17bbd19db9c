import Synchronization

/// What the doctor has begun, and must be gone in the end. All copies of a chart share it: it is noted before it is
/// done, and stays known when the time of the check that did it is over.
package final class Begun: Sendable {
    private let state = Mutex<(trial: TrialKernel.Remains?, relayd: Bool)>((nil, false))

    package init() {}

    package var trial: TrialKernel.Remains? {
        get { state.withLock { $0.trial } }
        set { state.withLock { $0.trial = newValue } }
    }

    /// The doctor had to start one.
    package var hasStartedRelayd: Bool {
        get { state.withLock { $0.relayd } }
        set { state.withLock { $0.relayd = newValue } }
    }
}
