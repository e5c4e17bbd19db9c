import KernelRelay
import Testing

/// What labels ask for, what they may not, and what the kernels are called.
@Suite struct DiscoveryTests {
    private func container(
        _ name: String = "dev", user: String = "", state: String = "running", _ labels: [String: String]
    ) throws -> Container {
        func quoted(_ text: String) -> String {
            "\"" + text.unicodeScalars.map { "\\u" + String(format($0.value)) }.joined() + "\""
        }
        let pairs = labels.map { "\(quoted($0)): \(quoted($1))" }.joined(separator: ", ")
        let text = """
            [{"Id": "a\(name)", "Name": "/\(name)", "State": {"Status": "\(state)"},
              "Config": {"User": "\(user)", "Labels": {\(pairs)}}}]
            """
        return try Container(inspect: Array(text.utf8))
    }

    private func format(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    private func kernel(
        user: String = "", state: String = "running", _ labels: [String: String]
    ) throws -> DiscoveredKernel? {
        DiscoveredKernel(try container(user: user, state: state, labels))
    }

    @Test func aLabelledContainer() throws {
        let found = try #require(
            try kernel([
                Labels.displayName: "Data lab", Labels.user: "nobody", Labels.workdir: "/work",
                Labels.command: "R --slave -e 'IRkernel::main()' --args {connection_file}",
            ]))
        #expect(found.displayName == "Data lab" && found.language == "R" && found.reference == .name("dev"))
        #expect(
            found.options == [
                "--user", "nobody", "--workdir", "/work", "--cmd",
                "R --slave -e 'IRkernel::main()' --args {connection_file}",
            ])
        #expect(try kernel([Labels.displayName: "x"])?.options == [])
        #expect(try kernel([:]) == nil && kernel([Labels.displayName: " \u{200B}\n"]) == nil)
    }

    @Test(arguments: ["exited", "created", "dead", "removing", "restarting"])
    func oneThatDoesNotRun(_ state: String) throws {
        #expect(try kernel(state: state, [Labels.displayName: "x"]) == nil)
    }

    @Test func aServiceGoesByWhatStays() throws {
        let labels = [
            Labels.displayName: "x", Labels.composeProject: "p", Labels.composeService: "s",
            Labels.composeNumber: "1",
        ]
        #expect(try kernel(labels)?.reference == .service(project: "p", service: "s"))
        #expect(try kernel(state: "paused", labels)?.reference == .service(project: "p", service: "s"))
    }

    @Test func titlesAreOneLineThatIsSeen() throws {
        let title = try kernel([
            Labels.displayName: "\u{1B}[31m a\n\tb\u{202E}\u{0} " + String(repeating: "é", count: 99)
        ])
        #expect(title?.displayName.hasPrefix("[31m a b é") == true)
        #expect((title?.displayName.unicodeScalars.count ?? 0) <= Tuning.longestDisplayName)
    }

    @Test func aLabelMakesNobodyMore() throws {
        for user in ["1000", "jovyan", "1000:1000"] {
            for wanted in ["0", "root", "toor", "1001", "host", "1000:0"] {
                #expect(
                    try kernel(user: user, [Labels.displayName: "x", Labels.user: wanted])?.options == [])
            }
        }
        for wanted in ["-u", "a b", "a:b:c", "", ":", "--privileged", "a=b", "$(id)"] {
            #expect(try kernel([Labels.displayName: "x", Labels.user: wanted])?.options == [])
        }
        #expect(try kernel([Labels.displayName: "x", Labels.user: "host"])?.options == ["--user", "host"])
    }

    @Test func whatCannotBeReadIsLeftOut() throws {
        for command in ["", " ", "'open", "[1]", "['a'"] {
            #expect(
                try kernel([Labels.displayName: "x", Labels.command: command])?.options == [], "\(command)")
        }
        for folder in ["work", "../etc", "/a\u{1B}", "/" + String(repeating: "a", count: 5000)] {
            #expect(try kernel([Labels.displayName: "x", Labels.workdir: folder])?.options == [])
        }
        let long = "a " + String(repeating: "b", count: 5000)
        #expect(try kernel([Labels.displayName: "x", Labels.command: long])?.options == [])
    }

    // MARK: - Names

    private typealias Found = [(container: Container, kernel: DiscoveredKernel)]

    private func found(_ all: [(name: String, labels: [String: String])]) throws -> Found {
        try all.map { name, labels in
            let container = try container(name, labels)
            return (container, try #require(DiscoveredKernel(container)))
        }
    }

    @Test func namesAreTakenByNobodyElse() throws {
        let two = try found([("a", [Labels.displayName: "Lab"]), ("b", [Labels.displayName: "Other"])])
        let plan = DiscoveryPlan(
            two, present: [:],
            others: .init(names: ["discovered-lab", "discovered-lab-2"], displayNames: ["Other"]))
        #expect(plan.places.map(\.name) == ["discovered-lab-3", "discovered-other-b"])
        #expect(plan.places.map(\.kernel.displayName) == ["Lab", "Other (b)"])
    }

    @Test func namesAreKept() throws {
        let two = try found([("a", [Labels.displayName: "Lab"]), ("b", [Labels.displayName: "Lab"])])
        let plan = DiscoveryPlan(two, present: ["b": "discovered-lab"], others: .init())
        #expect(plan.places.map(\.name) == ["discovered-lab-a", "discovered-lab"])
        #expect(plan.places.map(\.kernel.displayName) == ["Lab (a)", "Lab (b)"])
        // Unless somebody has taken it meanwhile.
        let taken = DiscoveryPlan(
            two, present: ["b": "discovered-lab"], others: .init(names: ["discovered-lab"]))
        #expect(taken.places.map(\.name) == ["discovered-lab-a", "discovered-lab-b"])
    }

    @Test func nobodyPassesForJupytersOwn() throws {
        let one = try found([("a", [Labels.displayName: "Python 3 (ipykernel)"])])
        let plan = DiscoveryPlan(one, present: [:], others: .init())
        #expect(plan.places.map(\.kernel.displayName) == ["Python 3 (ipykernel) (a)"])
    }

    @Test func aServiceThatHasSeveralContainersIsNoReference() throws {
        let labels = [
            Labels.displayName: "x", Labels.composeProject: "p", Labels.composeService: "s",
            Labels.composeNumber: "1",
        ]
        let plan = DiscoveryPlan(
            try found([("p_s_1", labels), ("p_s_2", labels)]), present: [:], others: .init())
        #expect(plan.places.map(\.kernel.reference) == [.name("p_s_1"), .name("p_s_2")])
        #expect(Set(plan.places.map(\.name)).count == 2)
    }
}
