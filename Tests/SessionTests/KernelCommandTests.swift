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
                command.dropFirst() == [
                    "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}", "--debug",
                ])
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

    /// Jupyter puts it there as it is, whatever it means to a shell, to JSON or to Python.
    @Test(arguments: ["/a b/k.json", "/it's/k.json", "/a\"b/k.json", "/a\\b/k.json", "/\u{e9}/k.json"])
    func aPathMayHaveAnyName(path: String) throws {
        for command in ["R -f \(path)", "['R', '-f', '\(path)']", "[\"R\", \"-f\", \"\(path)\"]"] {
            let commands = try KernelCommand.candidates(command, connectionFile: path, trailing: [])
            #expect(commands == [["R", "-f", "{connection_file}"]])
        }
    }

    /// As an engine runs the command of a container: behind the image's entry point.
    @Test func throughAnEntrypoint() throws {
        func read(_ command: String?, _ entrypoint: [String]) throws -> [[String]] {
            try KernelCommand.candidates(
                command, connectionFile: file, trailing: ["-v"], entrypoint: entrypoint)
        }
        let file = "{connection_file}"
        #expect(
            try read("python -m ipykernel", ["tini", "--"]) == [
                ["tini", "--", "python", "-m", "ipykernel", "-f", file, "-v"]
            ])
        let guessed = ["/e", "python3", "-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", file, "-v"]
        #expect(try read(nil, ["/e"]) == [guessed])
        // Where it is the kernel itself it gets what a kernel needs, and any other one by way of the command.
        #expect(
            try read(nil, ["python", "-m", "ipykernel"]) == [["python", "-m", "ipykernel", "-f", file, "-v"]])
        #expect(try read("--file \(file)", ["/kernel"]) == [["/kernel", "--file", file, "-v"]])
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
