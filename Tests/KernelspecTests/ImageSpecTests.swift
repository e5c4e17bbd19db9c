import Foundation
import Host
import KernelRelay
import Testing

/// A kernel.json whose kernels have a container each.
@Suite struct ImageSpecTests {
    private func add(_ words: [String]) throws -> Kernelspec {
        var request = try AddRequest(words)
        return try request.spec(program: "/s")
    }

    @Test func theWordsForRunStandBetweenDashes() throws {
        let spec = try add([
            "--image", "debian:12", "--env", "A=1", "--shell", "7", "--", "-v", "/a:/b", "-e", "B=secret",
            "-e", "C",
        ])
        #expect(
            spec.argv == [
                "/s", "-f", "{connection_file}", "--image", "debian:12", "--env", "A", "--shell", "7",
                "--env", "B",
                "--env", "C", "--", "-v", "/a:/b", "--",
            ])
        #expect(spec.variables == ["A": "1", "B": "secret"])
        #expect(spec.displayName == "Python (debian:12)")
    }

    @Test(arguments: [[], ["--memory", "1g"]])
    func whatIsWrittenIsRead(arguments: [String]) throws {
        let spec = try add(["--image", "debian", "--env", "A=1", "--"] + arguments)
        #expect(spec.argv.suffix(2 + arguments.count) == ["--"] + arguments + ["--"])
        let json = try JSONDecoder().decode(JSONValue.self, from: Data(spec.text(as: "n")))
        #expect(Kernelspec(reading: json, named: "n") == spec)
    }

    @Test(arguments: [
        ["--image", ""], ["--image", "i", "--container", "c"], ["--image", "i", "--", "-v", "x", "--", "y"],
    ])
    func refused(words: [String]) {
        #expect(throws: HostError.self) { try add(words) }
    }
}
