import Glibc

/// The command line.
struct Options {
    var quick = false
    var rounds: Int?
    var only: [Contestant]?
    var output = "bench.json"
    var places = Places(work: "/tmp/relay-bench-\(getpid())", scripts: "Benchmarks", python: "python3")
    var idle = true

    static let usage = """
        usage: relay-bench [--quick] [--rounds N] [--only NAME[,NAME]...] [--no-idle] [--output FILE]
                           [--work DIR] [--scripts DIR] [--python PROGRAM]
        NAME is one of \(Contestant.allCases.map(\.rawValue).joined(separator: ", ")).

        """

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        func value(_ name: String) throws -> String {
            guard let value = rest.popFirst() else {
                throw BenchError("\(name) needs a value\n\(Options.usage)")
            }
            return value
        }
        while let argument = rest.popFirst() {
            switch argument {
            case "--quick": quick = true
            case "--no-idle": idle = false
            case "--rounds": rounds = Int(try value(argument))
            case "--output": output = try value(argument)
            case "--work": places.work = try value(argument)
            case "--scripts": places.scripts = try value(argument)
            case "--python": places.python = try value(argument)
            case "--only":
                only = try value(argument).split(separator: ",").map { name in
                    guard let contestant = Contestant(rawValue: String(name)) else {
                        throw BenchError("no contestant is called \(name)\n\(Options.usage)")
                    }
                    return contestant
                }
            default:
                throw BenchError(
                    argument == "--help" ? Options.usage : "unknown: \(argument)\n\(Options.usage)")
            }
        }
    }
}
