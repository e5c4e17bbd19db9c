import Host

/// `--docker`: the engine's client, with this process's environment.
enum EngineOption {
    static let usage =
        "  --docker CLIENT   the engine's client (docker), one word or several: \"sudo docker\""

    static func read(_ arguments: inout Arguments) throws(HostError) -> Engine {
        Engine(try EngineClient(try arguments.value("--docker"), environment: CurrentEnvironment.variables))
    }
}
