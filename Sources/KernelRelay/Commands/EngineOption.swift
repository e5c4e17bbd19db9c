import Glibc
import Host

/// `--docker`: the engine's client, with this process's environment.
enum EngineOption {
    static let usage = "  --docker CLIENT   the engine's client (docker)"

    static func read(_ arguments: inout Arguments) throws(HostError) -> Engine {
        Engine(try EngineClient(try arguments.value("--docker"), environment: ownEnvironment))
    }

    static var ownEnvironment: [String: String] {
        var found: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let sign = text.firstIndex(of: "=") {
                found[String(text[..<sign])] = String(text[text.index(after: sign)...])
            }
            next += 1
        }
        return found
    }
}
