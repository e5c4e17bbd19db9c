import RelayLink
import Testing

@testable import KernelRelay

@Suite struct OpenMetricsTests {
    @Test func aTextOfEachKind() {
        var info = OpenMetrics.Family(.info, "build", "What runs.")
        info.add(1, ["release": "0.1", "note": "a\\b \"c\"\nd é"])
        var counter = OpenMetrics.Family(
            .counter, "sent_bytes", unit: "bytes", "With a \\, a \" and\na line.")
        counter.add(9_007_199_254_740_992)
        var gauge = OpenMetrics.Family(.gauge, "level", "A level.")
        gauge.add(-0.5, ["a": "b", "c": ""])
        let text = OpenMetrics.text([info, counter, gauge, .init(.gauge, "none", "No figure.")])
        #expect(
            text == ##"""
                # TYPE build info
                # HELP build What runs.
                build_info{release="0.1",note="a\\b \"c\"\nd é"} 1
                # TYPE sent_bytes counter
                # UNIT sent_bytes bytes
                # HELP sent_bytes With a \\, a \" and\na line.
                sent_bytes_total 9007199254740992
                # TYPE level gauge
                # HELP level A level.
                level{a="b",c=""} -0.5
                # TYPE none gauge
                # HELP none No figure.
                # EOF

                """##)
    }

    @Test(
        arguments: [
            (0, "0"), (-3, "-3"), (0.25, "0.25"), (1e15, "1000000000000000"), (1e300, "1e+300"),
            (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"), (5e-05, "5e-05"),
        ] as [(Double, String)])
    func numbers(value: Double, text: String) {
        #expect(OpenMetrics.number(value) == text)
    }

    @Test func aHistogram() throws {
        var times = Histogram()
        for nanoseconds in [1000, 70_000, 70_000, 3_000_000, UInt64(3_600_000_000_000)] {
            times.record(nanoseconds)
        }
        var family = OpenMetrics.Family(.histogram, "t_seconds", unit: "seconds", "Times.")
        family.add(times, ["a": "b"])
        let lines = OpenMetrics.text([family]).split(separator: "\n").filter { $0.hasPrefix("t_seconds") }
        let buckets = lines.filter { $0.hasPrefix("t_seconds_bucket") }
        #expect(buckets.count == Histogram.steps / 4)
        #expect(buckets.first == #"t_seconds_bucket{a="b",le="6.5536e-05"} 1"#)
        #expect(buckets.contains(#"t_seconds_bucket{a="b",le="0.000131072"} 3"#))
        #expect(buckets.suffix(2).first?.hasSuffix(" 4") == true, "an hour is beyond every bound")
        #expect(buckets.last == #"t_seconds_bucket{a="b",le="+Inf"} 5"#)
        #expect(lines.suffix(2) == [#"t_seconds_count{a="b"} 5"#, #"t_seconds_sum{a="b"} 3600.003141"#])
        let counts = buckets.compactMap { Int($0.split(separator: " ").last ?? "") }
        #expect(counts == counts.sorted() && counts.count == buckets.count)
    }
}

@Suite struct TallyTests {
    private func tally(_ messages: Int) -> Tally {
        var tally = Tally()
        tally.lanes[.init(channel: .shell, direction: .toKernel)] = .init(
            messages: messages, bytes: 10 * messages, everHeld: 1)
        tally.rejected = [.badSignature: messages]
        tally.interrupts = 1
        tally.heartbeatsLost = 2
        tally.heartbeat.record(1_000_000)
        tally.note(phase: "bind", took: .milliseconds(3))
        let hops = HopTimes()
        hops.note(.gate, took: .milliseconds(messages))
        tally.hops = hops.now
        return tally
    }

    @Test func sumsOfTwo() {
        var sum = tally(3)
        sum.add(tally(4))
        #expect(
            sum.lanes == [
                .init(channel: .shell, direction: .toKernel): .init(messages: 7, bytes: 70, everHeld: 2)
            ])
        #expect(sum.rejected == [.badSignature: 7] && sum.interrupts == 2 && sum.heartbeatsLost == 4)
        #expect(sum.heartbeat.count == 2 && sum.launch["bind"]?.count == 2)
        #expect(sum.hops[.gate]?.count == 2 && sum.hops[.engine] == nil)
        let before = sum
        sum.add(Tally())
        #expect(sum == before)
    }

    /// Every family that is promised, also where there is nothing to count.
    @Test func whatIsToldOfNothing() {
        let text = OpenMetrics.text(
            RelaydMetrics.families([:], Tally(), .init(descriptors: nil, started: 1_700_000_000)))
        for line in [
            #"kernelrelay_messages_total{channel="iopub",direction="to_client"} 0"#,
            #"kernelrelay_rejected_total{reason="badSignature"} 0"#,
            #"kernelrelay_kernels{verdict="container-paused"} 0"#, "process_start_time_seconds 1700000000",
            #"kernelrelay_held_bytes{channel="iopub",direction="to_client"} 0"#,
            "kernelrelay_gate_seconds_count 0",
            "kernelrelay_engine_seconds_count 0",
        ] { #expect(text.contains("\(line)\n")) }
        #expect(!text.contains("process_open_fds") && text.hasSuffix("# EOF\n"))
    }

    @Test func whatIsToldOfAReport() {
        let lane: JSON = ["held_bytes": 5, "held_messages": 2]
        let kernel: JSON = [
            "verdict": ["word": "busy"], "channels": ["iopub": ["to_client": lane, "to_kernel": [:]]],
        ]
        let report: JSON = [
            "release": "1\"2", "kernels": [kernel, kernel], "gates": [["state": "open"]],
            "resources": ["cpu_seconds": .number(1.5), "memory_bytes": 1000, "threads": 3],
        ]
        var sums = tally(3)
        sums.replies[.shell] = Histogram()
        let text = OpenMetrics.text(RelaydMetrics.families(report, sums, .init(descriptors: 9, started: 1)))
        for line in [
            #"kernelrelay_build_info{release="1\"2",protocol="1"} 1"#,
            #"kernelrelay_messages_total{channel="shell",direction="to_kernel"} 3"#,
            #"kernelrelay_bytes_total{channel="shell",direction="to_kernel"} 30"#,
            #"kernelrelay_delayed_messages_total{channel="shell",direction="to_kernel"} 1"#,
            #"kernelrelay_held_bytes{channel="iopub",direction="to_client"} 10"#,
            #"kernelrelay_kernels{verdict="busy"} 2"#, #"kernelrelay_gates{state="open"} 1"#,
            #"kernelrelay_gates{state="joining"} 0"#,
            #"kernelrelay_launch_seconds_count{phase="bind"} 1"#, "kernelrelay_heartbeats_lost_total 2",
            #"kernelrelay_reply_seconds_count{channel="shell"} 0"#, "process_cpu_seconds_total 1.5",
            "process_open_fds 9", "kernelrelay_gate_seconds_count 1", "kernelrelay_gate_seconds_sum 0.003",
            "kernelrelay_engine_seconds_count 0",
        ] { #expect(text.contains("\(line)\n"), "\(line)") }
    }
}
