import Gate
import Glibc
import RelayLink
import Shim

/// One static binary with three uses: `gate` inside a container, `hold` as the command of one that has
/// nothing else to do, and the program that kernel.json names on the host. This file only tells them apart.
func start(_ arguments: [String]) -> Int32 {
    switch arguments.first {
    case "gate": return gate(Array(arguments.dropFirst()))
    case "hold": return Keeper.run(Array(arguments.dropFirst()))
    case "--version":
        print("relay-shim \(ControlProtocol.release), protocol \(ControlProtocol.version)")
        return 0
    case "--help":
        print("\(Shim.usage)\n\n\(gateUsage)")
        return 0
    case nil:
        Complaint.say(Shim.usage)
        return 64
    default: return Shim.run(arguments)
    }
}

func gate(_ arguments: [String]) -> Int32 {
    var name = "gate"
    var joins = false
    var isApart = false
    var rest = arguments[...]
    while let argument = rest.popFirst() {
        switch argument {
        case "--join": joins = true
        case "--apart": isApart = true
        case "--name":
            guard let value = rest.popFirst(), JoinPoint.isName(value) else {
                return refuse("--name takes 1 to 32 letters, digits, dots, dashes or underscores")
            }
            name = value
        default: return refuse("unknown argument \(printable(argument))")
        }
    }
    if joins, isApart { return refuse("--join and --apart exclude each other") }
    if joins { return Joiner.run(name) }
    if isApart { return Apart.run(name) }
    do throws(GateError) {
        return try Gate(name: name).run()
    } catch {
        Complaint.say("relay-shim: \(error)")
        return 69
    }
}

func refuse(_ reason: String) -> Int32 {
    Complaint.say("relay-shim: \(GateError(.usage, reason))")
    Complaint.say(gateUsage)
    return 64
}

let gateUsage = """
    usage: relay-shim gate [--name NAME]          serve kernels in this container over stdin and stdout
           relay-shim gate --join [--name NAME]   a new link to the gate that runs here
           relay-shim gate --apart [--name NAME]  the same as the first, by a process that outlives this one
           relay-shim hold [--idle SECONDS] [--max SECONDS] [--until-unused SECONDS]
                                                  wait for SIGTERM, as a container's only command; or until no kernel
                                                  in it has been used for so long, it has been there for so long, or
                                                  nobody has needed a gate in it for so long
           relay-shim --version
    """

StandardStreams.ensure()
exit(start(Array(CommandLine.arguments.dropFirst())))
