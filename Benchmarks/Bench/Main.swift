import Glibc

/// Runs every contestant through every measure, round by round, and reports.
@main enum Main {
    static func main() {
        do {
            try run(Options(Array(CommandLine.arguments.dropFirst())))
        } catch {
            say("relay-bench: \(error)")
            exit(1)
        }
    }

    private static func run(_ options: Options) throws {
        let start = Wire.now()
        raiseFileLimit()
        let isOurs = mkdir(options.places.work, 0o700) == 0
        defer { if isOurs { remove(options.places.work) } }
        var absent: [(column: String, reason: String)] = []
        var lanes: [Lane] = []
        var results = Results()
        defer {
            for lane in lanes {
                let words = lane.close()
                let lost = results.lost[lane.contestant.rawValue] ?? 0
                if lost > 0 {
                    say("\(lane.contestant.rawValue) lost \(lost) messages; its last words: \(words)")
                }
            }
        }
        for contestant in options.only ?? Contestant.usual {
            do {
                lanes.append(try Lane(contestant, options.places))
            } catch {
                absent.append((contestant.rawValue, "\(error)"))
            }
        }
        guard !lanes.isEmpty else { throw BenchError("nobody took part: \(absent.map(\.reason))") }

        let measures = Measures(options.quick ? .quick : Measures.Size())
        let rounds = options.rounds ?? (options.quick ? 2 : 5)
        for round in 0..<rounds {
            say("round \(round + 1) of \(rounds)")
            for turn in measures.turns { try go(turn, lanes, round, &results) }
        }
        for huge in measures.hugeTurns {
            let turn = huge.turn(huge.pool())
            for round in 0..<max(1, rounds / 2) { try go(turn, lanes, round, &results) }
        }
        if options.idle, lanes.contains(where: { $0.contestant == .relay }) {
            say("idle relays")
            try IdleRelays(places: options.places, seconds: options.quick ? 2 : 5).run(&results)
        }

        var columns = lanes.map(\.contestant.rawValue)
        if options.idle, columns.contains(Contestant.relay.rawValue) {
            say("diagnostics on and off")
            let rounds = options.quick ? 6 : 60
            try DiagnosticsCost(places: options.places, rounds: rounds, measures: measures).run(&results)
            columns += [Contestant.unwatched.rawValue, Contestant.alike.rawValue]
        }

        let report = Report(
            results: results, columns: columns, rounds: rounds, quick: options.quick,
            absent: absent, seconds: Wire.now() - start)
        print(report.table(), terminator: "")
        guard let file = fopen(options.output, "w") else {
            throw BenchError("cannot write \(options.output)")
        }
        fputs(report.json(), file)
        fclose(file)
        if results.lost[Contestant.relay.rawValue, default: 0] > 0 {
            throw BenchError("the relay lost messages")
        }
    }

    /// The folder of connection files and what is in it, when nobody gave us one.
    private static func remove(_ folder: String) {
        if let entries = opendir(folder) {
            while let entry = readdir(entries) {
                let name = withUnsafeBytes(of: entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                }
                unlink("\(folder)/\(name)")
            }
            closedir(entries)
        }
        rmdir(folder)
    }

    /// Progress and errors go to stderr, past the table.
    private static func say(_ words: String) {
        let bytes = Array("\(words)\n".utf8)
        _ = write(2, bytes, bytes.count)
    }

    /// One measure on every lane, starting with another one each round: nobody always comes after the same.
    private static func go(_ turn: Measures.Turn, _ lanes: [Lane], _ round: Int, _ results: inout Results)
        throws
    {
        for index in lanes.indices {
            let lane = lanes[(index + round) % lanes.count]
            // Who loses messages, or stands still, is out: figures for the rest would mean nothing, and each
            // measure would wait in vain.
            if results.lost[lane.contestant.rawValue, default: 0] > 0 { continue }
            do {
                try turn(lane, &results)
            } catch {
                throw BenchError("\(lane.contestant.rawValue): \(error)")
            }
        }
    }

    /// Two hundred relays need some ten thousand descriptors, here and in the hop, which inherits the limit.
    private static func raiseFileLimit() {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
