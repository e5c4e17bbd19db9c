import Host
import RelayLink

/// What is known of the patient: whom the doctor was asked about, and what the checks have found out so far.
package struct Chart: Sendable {
    package struct Subject: Sendable {
        package let engine: Engine
        /// The caller's.
        package let environment: [String: String]
        /// As it was named; nothing for a look at the host alone.
        package let container: String?
        package let user: String?
        package let command: String?

        package init(
            engine: Engine, environment: [String: String], container: String? = nil, user: String? = nil,
            command: String? = nil
        ) {
            self.engine = engine
            self.environment = environment
            self.container = container
            self.user = user
            self.command = command
        }

        /// The beginning of a command line for the engine, as one types it.
        func typed(_ words: String...) -> String {
            (engine.client.shown + words).map(ShellWord.quote).joined(separator: " ")
        }

        /// The same for something to be run in the container.
        func typedExec(_ container: String, as user: String? = nil, _ words: [String]) -> String {
            let who = (user ?? self.user).map { ["--user", $0] } ?? []
            return (engine.client.shown + ["exec"] + who + [container] + words)
                .map(ShellWord.quote).joined(separator: " ")
        }
    }

    package let subject: Subject

    package var folder: RuntimeFolder?
    var shim: GateBinary?
    /// What the relayd that runs says of itself.
    package var status: JSON?
    var endpoint: EngineEndpoint?
    /// The engine's processor, as images name it.
    var serverArchitecture: String?
    var clientVersion: String?
    var serverVersion: String?
    package var specs: [InstalledSpec] = []
    package var container: Container?
    package var facts: InspectFacts?
    var welcome: GateReport.Welcome?
    var python: PythonSurvey?
    package let begun = Begun()

    package init(_ subject: Subject) { self.subject = subject }

    func exec(_ container: Container, _ words: [String]) -> EngineCommand {
        let who = subject.user.map { ["--user", $0] } ?? []
        return subject.engine.command(["exec"] + who + [container.id] + words)
    }
}
