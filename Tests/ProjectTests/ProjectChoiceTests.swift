import Foundation
import Host
import KernelRelay
import RelayLink
import Testing

/// What goes before what.
@Suite struct ProjectChoiceTests {
    private let kernel = ProjectValues(
        container: "k", command: "kc", user: "ku", workdir: "/k", env: ["A": "k", "B": "k", "C": "k"])
    private let file = ProjectValues(
        container: "f", command: "fc", user: "fu", workdir: "/f", env: ["B": "f", "C": "f", "D": "f"])
    private let mine = ProjectValues(
        container: "m", command: "mc", user: "mu", workdir: "/m", env: ["C": "m", "E": "m"])

    @Test func eachGoesBeforeTheOneBefore() {
        let choice = ProjectChoice(kernel, file: ("/p", file), overrides: mine)
        #expect(
            choice.values
                == ProjectValues(
                    container: "m", command: "mc", user: "mu", workdir: "/m",
                    env: ["A": "k", "B": "f", "C": "m", "D": "f", "E": "m"]))
        #expect(
            choice.sources == [
                .container: .variable, .command: .variable, .user: .variable, .workdir: .variable,
                .env("A"): .kernelJSON, .env("B"): .file, .env("C"): .variable, .env("D"): .file,
                .env("E"): .variable,
            ])
    }

    @Test func eachKeyByItself() {
        let choice = ProjectChoice(
            .init(container: "k", user: "ku"), file: ("/p", .init(container: "f", workdir: "/f")),
            overrides: .init(command: "mc"))
        #expect(
            choice.values == ProjectValues(container: "f", command: "mc", user: "ku", workdir: "/f"))
        #expect(
            choice.sources == [
                .container: .file, .command: .variable, .user: .kernelJSON, .workdir: .file,
            ])
    }

    @Test func withoutAFileTheOthersDo() throws {
        let fixture = try ProjectFixture()
        #expect(try fixture.choose(.init(container: "k")).values.container == "k")
        #expect(try fixture.choose(.init(), .init(container: "m")).values.container == "m")
        #expect(try fixture.choose(.init(container: "k")).file == nil)
    }

    /// Whoever overrides everything still hears that the file is broken.
    @Test func aBrokenFileIsNotOverridden() throws {
        let fixture = try ProjectFixture()
        try fixture.put(#"{"image": "x"}"#)
        #expect(refusal { _ = try fixture.choose(.init(), .init(container: "m")) }?.code == .projectKey)
    }

    @Test func theCallersVariables() {
        #expect(
            ProjectVariables.read([
                "KERNELRELAY_CONTAINER": "c", "KERNELRELAY_COMMAND": "x y", "KERNELRELAY_USER": "",
                "KERNELRELAY_ENV_A": "", "KERNELRELAY_ENV_": "x", "KERNELRELAY_RUNTIME_DIR": "/r",
                "PATH": "/",
            ]) == ProjectValues(container: "c", command: "x y", env: ["A": ""]))
    }
}
