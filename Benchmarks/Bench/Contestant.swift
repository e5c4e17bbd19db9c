import FakeJupyter
import Glibc

/// What stands between client and kernel.
enum Contestant: String, CaseIterable {
    case direct
    case zmqProxy = "zmq_proxy"
    case relay
    case pyzmq
    case tcp
    /// The relay without its diagnostics, and once more with them: only for what those cost, and for what two of the same
    /// differ by.
    case unwatched, alike

    /// Those that take part in everything.
    static let usual = allCases.filter { $0 != .unwatched && $0 != .alike }

    /// Whether the client's key differs from the kernel's, each message being signed anew on its way.
    var signsAnew: Bool { [.relay, .unwatched, .alike, .pyzmq].contains(self) }

    /// Slow hops get fewer messages, or they would take all the time there is.
    var burstShare: Int { self == .pyzmq ? 10 : 1 }
}

/// Where the parts of the bench are.
struct Places {
    var work: String
    var scripts: String
    var python: String

    /// The folder of the bench's own executable, where its siblings lie too.
    static var products: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
    }

    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }
}

extension Contestant {
    /// Starts the hop between two addresses and waits until it has bound; direct has none.
    ///
    /// - Parameter name: of its files, where it takes part twice.
    func start(front: PeerAddress, back: PeerAddress, _ places: Places, as name: String? = nil) throws
        -> ChildProcess?
    {
        let frontFile = "\(places.work)/\(name ?? rawValue)-front.json"
        let backFile = "\(places.work)/\(name ?? rawValue)-back.json"
        try front.write(to: frontFile)
        try back.write(to: backFile)
        let child: ChildProcess
        switch self {
        case .direct:
            return nil
        case .zmqProxy:
            let channels: [PeerChannel] = [.shell, .iopub, .stdin, .control, .hb]
            let endpoints = channels.flatMap { [front.endpoint($0), back.endpoint($0)] }
            child = try ChildProcess("\(Places.products)/bench-zmq-proxy", endpoints)
        case .relay, .unwatched, .alike:
            let program = "\(Places.products)/embedded-relay"
            guard Places.isExecutable(program) else { throw BenchError("\(program) is not built") }
            child = try ChildProcess(
                program,
                ["--until-eof"] + (self == .unwatched ? ["--unwatched"] : name == nil ? [] : ["--explained"])
                    + [frontFile, backFile])
        case .pyzmq:
            child = try ChildProcess(
                places.python, ["\(places.scripts)/pyzmq_relay.py", frontFile, backFile])
        case .tcp:
            let configuration = "\(places.work)/haproxy.cfg"
            try Contestant.write(Contestant.haproxy(front, back), to: configuration)
            return try ChildProcess(
                "setpriv", ["--pdeathsig", "KILL", "haproxy", "-db", "-f", configuration])
        }
        try child.awaitLine("relaying", milliseconds: 10_000)
        return child
    }

    /// haproxy rather than socat: one process for all channels whose processor time can be read, and a forwarder that
    /// people really put there. It may splice in the kernel, past its own buffers.
    private static func haproxy(_ front: PeerAddress, _ back: PeerAddress) -> String {
        var text = """
            global
                maxconn 1000
            defaults
                mode tcp
                option splice-auto
                timeout connect 5s
                timeout client 1h
                timeout server 1h

            """
        for channel in PeerChannel.allCases {
            text += """
                listen \(channel.rawValue)
                    bind \(front.ip):\(front.ports[channel] ?? 0)
                    server kernel \(back.ip):\(back.ports[channel] ?? 0)

                """
        }
        return text
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
        fputs(text, file)
        fclose(file)
    }
}
