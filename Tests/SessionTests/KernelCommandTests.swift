import Testing

@testable import KernelRelay

/// What is run in the container, from what stands in kernel.json.
@Suite struct KernelCommandTests {
    private let file = "/run/user/1000/jupyter/kernel-1.json"

    private func read(_ command: String?, trailing: [String] = []) throws -> [[String]] {
        try KernelCommand.candidates(command, connectionFile: file, trailing: trailing)
    }

    @Test func withoutACommandItIsIpykernel() throws {
        let commands = try read(nil, trailing: ["--debug"])
        #expect(commands.map(\.first) == ["python3", "python"])
        for command in commands {
            #expect(
                command.dropFirst() == ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}", "--debug"])
        }
    }

    @Test(arguments: [
        #"["/opt/v/bin/python", "-m", "ipykernel"]"#, "['/opt/v/bin/python', '-m', 'ipykernel']",
        "/opt/v/bin/python -m ipykernel",
    ])
    func threeSpellings(command: String) throws {
        #expect(
            try read(command) == [["/opt/v/bin/python", "-m", "ipykernel", "-f", "{connection_file}"]])
    }

    @Test func theHostsPathStandsForThePlaceholder() throws {
        #expect(try read("R --args \(file)") == [["R", "--args", "{connection_file}"]])
        #expect(try read("x --f=\(file),\(file)") == [["x", "--f={connection_file},{connection_file}"]])
        #expect(
            try read("x {connection_file}", trailing: ["-v"]) == [["x", "{connection_file}", "-v"]])
    }

    @Test(arguments: ["", "   ", "'unclosed", "[]", "[1]", #"[""]"#])
    func isRefused(command: String) {
        #expect(throws: Refusal.self) { try read(command) }
    }

    @Test func theRefusalHasItsCode() {
        let refusal = #expect(throws: Refusal.self) { try read("'a") }
        #expect(refusal?.code == "KR-COMMAND")
    }
}
