import RelayLink
import Testing

@testable import KernelRelay

/// What is said of kernels in a container of their own and on this host: nothing that is about a container which stays.
@Suite struct ExplanationPlaceTests {
    private func own(_ change: (inout LaunchFacts) -> Void = { _ in }) -> LaunchFacts {
        var facts = LaunchFacts(container: "kernelrelay-lab-k1")
        facts.making = .init(image: "lab:2", arguments: ["-v", "/a b:/c", "--label", "TOKEN=x"])
        change(&facts)
        return facts
    }

    private func refused(_ code: ErrorCode, _ facts: LaunchFacts, cause: String? = nil) -> Explanation {
        Explanation(.refused(Refusal(RelayError(code, "lab:2", cause: cause))), facts)
    }

    @Test func theEngineRefuses() {
        let said = refused(.runRefused, own(), cause: "unknown flag: --x")
        #expect(said.text.contains("unknown flag: --x"))
        #expect(said.commands == ["docker run --rm -v '/a b:/c' --label TOKEN=... lab:2"])
    }

    @Test func noSuchImage() {
        #expect(refused(.imageMissing, own()).commands == ["docker images"])
        let said = refused(.imageMissing, own { $0.names = ["lab:3", "other"] })
        #expect(said.details == ["near to that name: lab:3"])
    }

    @Test func itEndedAtOnce() {
        let said = refused(.containerEnded, own())
        #expect(said.commands == ["docker image inspect --format '{{.Os}} {{.Architecture}}' lab:2"])
    }

    @Test(arguments: [ErrorCode.containerGone, .containerMissing, .containerStopped])
    func itIsGone(code: ErrorCode) {
        let said = refused(code, own())
        #expect(said.commands.isEmpty && said.advice.contains("The next kernel gets another"))
    }

    /// All codes, with nothing that would have to be typed about a container that is not there any more.
    @Test func nothingIsAskedOfAContainerThatIsGone() {
        // One kernel's container has neither a time of its own nor a number of kernels, and nobody else's gate.
        let touching: Set<ErrorCode> = [
            .containerPaused, .containerIdle, .containerLifetime, .containerFull,
            .portsForeign,
        ]
        for code in ErrorCode.allCases where !touching.contains(code) {
            for command in refused(code, own()).commands {
                #expect(!command.contains("kernelrelay-lab-k1"), "\(code): \(command)")
            }
        }
    }

    @Test func whatTheImageLacks() {
        let tail = "/usr/bin/python3: No module named ipykernel_launcher\n"
        let said = Explanation(.ended(.init(cause: .code(1), tail: Array(tail.utf8))), own())
        #expect(said.code == "KR-IPYKERNEL-MISSING" && !said.text.contains("kernelrelay-lab-k1"))
        #expect(
            said.commands == [
                #"printf 'FROM lab:2\nRUN /usr/bin/python3 -m pip install ipykernel' | docker build --tag with-ipykernel -"#
            ])
        let user = refused(.gateUser, own { $0.user = "me" })
        #expect(user.commands == ["docker run --rm --entrypoint cat lab:2 /etc/passwd"])
    }

    @Test func moreMemory() {
        let said = Explanation(
            .ended(.init(cause: .signal(9, coreDumped: false), oomKilled: true)),
            own { $0.memoryLimit = 256 << 20 })
        #expect(said.commands.isEmpty && said.advice.contains("--memory 512m behind --"))
    }

    /// A whole id says no more than its beginning, and fills a line.
    @Test func anIDIsShort() {
        let id = String(repeating: "0a", count: 32)
        let facts = LaunchFacts(container: id)
        #expect(facts.container == "0a0a0a0a0a0a" && facts.wanted == id)
        #expect(refused(.containerStopped, facts).commands == ["docker start 0a0a0a0a0a0a"])
        #expect(LaunchFacts(container: "my-box").container == "my-box")
    }

    // MARK: - On this host

    private var host: LaunchFacts {
        var facts = LaunchFacts(container: "this host")
        facts.isOnHost = true
        facts.program = "compose"
        return facts
    }

    @Test func theCommandIsNotThere() {
        let refusal = Refusal(GateError(.commandNotFound, "compose"))
        let said = Explanation(.refused(refusal), host)
        #expect(said.code == "KR-GATE-COMMAND-NOT-FOUND" && said.text.contains("on this host: compose"))
    }

    @Test(arguments: [ErrorCode.launchTimeout, .routeNone])
    func itsKernelIsNowhere(code: ErrorCode) {
        let said = refused(code, host)
        #expect(said.advice.contains("JUPYTER_SHELL_PORT_HOST") && said.commands.isEmpty)
    }

    @Test func noCommandIsAnEngines() {
        // A host is neither stopped nor paused, nor full, nor at its end, and knows no other user.
        let impossible: Set<ErrorCode> = [
            .containerStopped, .containerPaused, .containerGone, .containerIdle, .containerLifetime,
            .containerFull, .portsForeign, .gateUser,
        ]
        for code in ErrorCode.allCases where !impossible.contains(code) {
            for command in refused(code, host).commands where command.hasPrefix("docker") {
                #expect(!command.contains("this host"), "\(code): \(command)")
            }
        }
        let tail = "/usr/bin/python3: No module named ipykernel_launcher\n"
        let said = Explanation(.ended(.init(cause: .code(1), tail: Array(tail.utf8))), host)
        #expect(said.commands == ["/usr/bin/python3 -m pip install ipykernel"])
    }
}
