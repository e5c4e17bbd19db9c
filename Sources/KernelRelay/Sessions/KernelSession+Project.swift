import RelayLink

/// A kernel of the notebook's project: what its file says is read at every attempt, so that whoever mends it need only
/// run the cell again.
extension KernelSession {
    /// Finds out what the present attempt asks for.
    func settle(_ limit: LaunchLimit) async throws(Refusal) {
        guard let project = launch.project else { return }
        // One that runs already is found where it is, whatever the file says by now.
        if let keptContainer {
            // By what the project called it a container that was made anew in its place is found, and named to people.
            asked.container = keptReference ?? keptContainer
            asked.user = keptUser
            return note()
        }
        let (kernel, folder) = (ProjectValues(launch), launch.folder)
        let choice = try await limit.step { () async throws(Refusal) in
            try await refusing { () async throws(RelayError) in
                try await offload("kr-project") {
                    Result { () throws(RelayError) in try ProjectChoice.make(kernel, project, in: folder) }
                }
            }
        }
        asked = launch
        asked.take(choice.values, host: project.host)
        note()
    }

    private func note() {
        container = asked.container
        facts = LaunchFacts(asked)
    }
}

extension ProjectValues {
    /// What kernel.json says itself.
    init(_ launch: ControlRequest.Launch) {
        self.init(
            container: launch.container.isEmpty ? nil : launch.container, command: launch.command,
            user: launch.user, workdir: launch.workdir, env: launch.env)
    }
}

extension ControlRequest.Launch {
    fileprivate mutating func take(_ values: ProjectValues, host: String) {
        container = values.container ?? container
        command = values.command
        user = values.user == "host" ? host : values.user
        workdir = values.workdir
        env = values.env
    }
}
