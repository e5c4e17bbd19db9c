import Foundation
import Glibc
import Ground
import KernelRelay
import RelayLink
import Testing

/// What is made in several steps, of which each can be the last. A shell script stands for the client.
@Suite struct UndoneTests {
    private let folder: Scratch
    init() throws { folder = try Scratch() }

    /// - Parameter cases: of a shell's `case "$*"`, in the folder.
    private func engine(_ cases: String, patience: Engine.Patience = .init()) throws -> Engine {
        let script = try folder.write("client", "cd \(folder.path)\ncase \"$*\" in\n\(cases)\nesac\n")
        return Engine(
            EngineClient(
                command: ["sh", script],
                environment: ["PATH": "/usr/bin:/bin", "KERNELRELAY_SHIM": Repository.shim]),
            patience: patience)
    }

    private func touch(_ name: String) throws { _ = try folder.write(name, "") }
    private func isThere(_ name: String) -> Bool { access("\(folder.path)/\(name)", F_OK) == 0 }
    private func lines(_ name: String) -> [String] {
        let text = try? String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
        return (text ?? "").split(separator: "\n").map(String.init)
    }

    private func until(_ what: Comment, _ isSo: () -> Bool) async throws {
        for _ in 0..<4000 {
            if isSo() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record(what)
    }

    // MARK: - `relayd up`

    /// Makes a container that has the mark of its maker, once the file `go` is there and if there is an image. The look at it
    /// whose number is in `slow` is held up.
    private static let maker = """
        version*) echo '{}';;
        "image inspect"*) [ -e image ];;
        run*)
            touch asked
            [ -e image ] || exec sleep 1000
            until [ -e go ]; do sleep 0.02; done
            echo "$*" | sed 's/.*[.]up=\\([0-9a-f]*\\).*/\\1/' > made
            echo abc;;
        inspect*)
            [ -e made ] || { echo '[]'; exit 1; }
            echo look >> looks
            [ "$(wc -l < looks)" != "$(cat slow)" ] || exec sleep 1000
            echo '[{"Id":"abc","State":{"Status":"running"},"Config":{"Labels":{"io.github.kernelrelay.up":"'$(cat made)'"}}}]';;
        rm*) rm made;;
        """

    enum Moment: CaseIterable {
        case whileItIsFetched, whileItIsMade, whileTheEngineHangs, whileItIsLookedAt, whileItIsWatched
    }

    @Test(arguments: Moment.allCases)
    func whatIsInterruptedLeavesNoContainer(_ moment: Moment) async throws {
        if moment != .whileItIsFetched { try touch("image") }
        if moment != .whileItIsMade, moment != .whileTheEngineHangs { try touch("go") }
        let slow = [Moment.whileItIsLookedAt: 1, .whileItIsWatched: 2][moment] ?? 0
        _ = try folder.write("slow", "\(slow)\n")
        let isShort = moment == .whileTheEngineHangs
        let engine = try engine(
            Self.maker, patience: .init(interrupted: isShort ? .seconds(1) : .seconds(60)))
        let up = Upbringing(engine: engine, image: "img", name: "c", byChannel: StandardPorts.byChannel)
        let bringing = Task { _ = try await up.bringUp() }
        switch moment {
        case .whileItIsFetched, .whileItIsMade, .whileTheEngineHangs:
            try await until("the run") { isThere("asked") }
        case .whileItIsLookedAt, .whileItIsWatched: try await until("a look") { lines("looks").count == slow }
        }
        bringing.cancel()
        if moment == .whileItIsMade { try touch("go") }
        let error = await code { try await bringing.value }
        #expect(error?.code == .engineFailed && error?.cause == "interrupted")
        #expect(!isThere("made"))
        #expect(isThere("asked") && isThere("image") == (moment != .whileItIsFetched))
    }

    // MARK: - A container for one kernel

    /// The engine takes the first stray word for the image, and what follows for the command.
    @Test func aStrayWordTakesNoMarkAway() async throws {
        let engine = try engine("run*) echo \"$*\" >> runs; exit 125;; version*) echo '{}';; *) exit 1;;")
        let made = KernelContainer(
            engine: engine, image: "img", arguments: ["--gpus", "all", "img"],
            byChannel: StandardPorts.byChannel, kernel: "k1", unusedSeconds: 60)
        _ = await code { _ = try await made.make() }
        let words = try #require(lines("runs").first)
        let parts = words.components(separatedBy: " --gpus all img ")
        try #require(parts.count == 2)
        for part in parts { #expect(part.contains("--rm --label \(Labels.madeForKernel)=k1")) }
    }

    // MARK: - A copy of the gate

    /// In a container that has none until `cp` has brought it.
    private static func open(_ engine: Engine, _ name: String) async throws -> OpenGate {
        try await engine.openGate(
            in: try await engine.container("a"), user: nil, name: "undone-\(getpid())-\(name)", joins: false,
            hello: .init(token: TestContainer.token))
    }

    private static func questions() -> String {
        """
        version*) echo '{}';;
        image*) exit 1;;
        inspect*) echo '[{"Id":"\(UUID().uuidString.replacing("-", with: ""))","State":{"Status":"running"}}]';;
        """
    }

    /// The first who comes is waited for.
    @Test func severalAtOnceBringOneCopy() async throws {
        let engine = try engine(
            """
            cp*) echo cp >> copies; cat > /dev/null; until [ -e go ]; do sleep 0.02; done; sleep 3; touch there;;
            exec*) echo exec >> tries; [ -e there ] || exit 127; shift 4; exec "$KERNELRELAY_SHIM" "$@";;
            \(Self.questions())
            """)
        let gates = (0..<3).map { number in Task { try await Self.open(engine, "\(number)") } }
        try await until("all tries") { lines("tries").count >= 3 }
        try touch("go")
        for gate in gates { #expect(try await gate.value.stop() == .code(0)) }
        #expect(lines("copies").count == 1)
    }

    /// By another relayd, which this one knows nothing of.
    @Test func aCopyThatIsStillBeingWrittenIsWaitedFor() async throws {
        let engine = try engine(
            """
            cp*) cat > /dev/null; touch there;;
            exec*) [ -e there ] || exit 127; [ -e whole ] || exit 126; shift 4; exec "$KERNELRELAY_SHIM" "$@";;
            \(Self.questions())
            """)
        let gate = Task { try await Self.open(engine, "late") }
        try await until("the copy") { isThere("there") }
        try await Task.sleep(for: .seconds(2))
        try touch("whole")
        #expect(try await gate.value.stop() == .code(0))
    }
}
