import FakeJupyter
import KernelRelay
import Testing

/// A debugging front end on the host and a kernel in a container: each hears its own paths.
@Suite struct DebugPathsTests {
    private static let folders = FolderMap(
        [
            .init(outside: "/home/ada", inside: "/work"), .init(outside: "/home/ada/lib", inside: "/lib/ada"),
            .init(outside: "/scratch", inside: "/tmp"),
        ], mounts: ["/work", "/work/volume", "/lib/ada", "/tmp"])

    private func rewritten(_ content: String, _ kind: DebugPaths.Kind, _ folders: FolderMap = folders)
        -> String?
    {
        let paths = DebugPaths(folders)
        let bytes = Array(content.utf8).withUnsafeBytes { paths?.rewritten($0, kind) }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (DebugPaths.Kind.request, #"{"arguments": {"source": {"path": "P"}}}"#),
        (.reply, #"{"body": {"stackFrames": [{"id": 1, "source": {"path": "P", "name": "m.py"}}]}}"#),
        (.reply, #"{"body": {"breakpoints": [{"verified": true, "source": {"path": "P"}}]}}"#),
        (.reply, #"{"body": {"breakpoints": [{"source": "P", "breakpoints": [{"line": 1}]}]}}"#),
        (.reply, #"{"body": {"modules": [{"name": "m", "path": "P"}], "totalModules": 1}}"#),
        (.reply, #"{"body": {"sources": [{"path": "P"}]}}"#),
        (.reply, #"{"body": {"scopes": [{"source": {"path": "P"}}]}}"#),
        (.reply, #"{"body": {"details": {"source": "P"}}}"#),
        (.event, #"{"event": "loadedSource", "body": {"source": {"path": "P"}}}"#),
        (.event, #"{"event": "breakpoint", "body": {"breakpoint": {"source": {"path": "P"}}}}"#),
        (.event, #"{"event": "module", "body": {"module": {"path": "P"}}}"#),
    ])
    func everyPlaceOfAPath(kind: DebugPaths.Kind, content: String) {
        for (outside, inside) in [
            ("/home/ada/m.py", "/work/m.py"), ("/home/ada/lib/a/m.py", "/lib/ada/a/m.py"),
        ] {
            let (from, to) = kind == .request ? (outside, inside) : (inside, outside)
            #expect(
                rewritten(content.replacing("\"P\"", with: "\"\(from)\""), kind)
                    == content.replacing("\"P\"", with: "\"\(to)\""))
        }
    }

    /// Another place, or another direction, or no path of the other side's.
    @Test(arguments: [
        (DebugPaths.Kind.request, #"{"arguments": {"source": {"path": "/usr/lib/os.py"}}}"#),
        (.request, #"{"arguments": {"code": "/home/ada/m.py", "expression": "'/home/ada/m.py'"}}"#),
        (.request, #"{"body": {"source": {"path": "/home/ada/m.py"}}}"#),
        (.request, #"{"arguments": {"source": {"path": "/home/ada/volume/m.py"}}}"#),
        (.reply, #"{"body": {"stackFrames": [{"source": {"path": "/work/volume/m.py"}}]}}"#),
        (.reply, #"{"body": {"variables": [{"name": "path", "value": "/work/m.py"}]}}"#),
        (.reply, #"{"body": {"data": {"application/json": {"source": {"path": "/work/m.py"}}}}}"#),
        (.reply, #"{"arguments": {"source": {"path": "/work/m.py"}}}"#),
        (.event, #"{"event": "output", "body": {"output": "/work/m.py"}}"#),
    ])
    func everythingElseStays(kind: DebugPaths.Kind, content: String) {
        #expect(rewritten(content, kind) == nil)
    }

    /// Also where a mount shows the folder that kernels write them to.
    @Test(arguments: ["/tmp/ipykernel_42/123.py", "/tmp/xpython_42/123.py"])
    func cellsStay(path: String) {
        #expect(rewritten(#"{"body": {"stackFrames": [{"source": {"path": "\#(path)"}}]}}"#, .reply) == nil)
        let outside = path.replacing("/tmp", with: "/scratch")
        #expect(rewritten(#"{"arguments": {"source": {"path": "\#(outside)"}}}"#, .request) == nil)
        #expect(
            rewritten(#"{"arguments": {"source": {"path": "/scratch/ipykernel_x/1.py"}}}"#, .request) != nil)
    }

    @Test func whatIsFarTooLargeStays() {
        let name = String(repeating: "x", count: Tuning.largestDebugContent)
        #expect(
            rewritten(#"{"body": {"modules": [{"path": "/work/m.py", "name": "\#(name)"}]}}"#, .reply) == nil)
    }

    @Test func withoutAFolderOfTheHostsThereIsNothingToDo() {
        #expect(DebugPaths(FolderMap([], mounts: ["/data"])) == nil)
        #expect(DebugPaths(FolderMap([.init(outside: "/", inside: "/host")])) == nil)
    }

    // MARK: - In a relay

    private static let event = #"{"event": "loadedSource", "body": {"source": {"path": "/work/m.py"}}}"#

    /// Echoes what it is asked, and publishes an event.
    private static let debuggee: KernelScript = { channel, message in
        guard message.type == "debug_request" else { return usualScript(channel, message) }
        let frames =
            #"{"asked": \#(message.contentText), "body": {"stackFrames": [{"source": {"path": "/work/m.py"}}]}}"#
        let idle = KernelAction.publish("status", content: #"{"execution_state": "idle"}"#)
        return [.publish("debug_event", content: event), .reply("debug_reply", content: frames), idle]
    }

    private func rig(_ folders: FolderMap?, frontKey: String, backKey: String) throws -> Rig {
        var kernel = FakeKernel.Options()
        kernel.script = Self.debuggee
        return try Rig(
            front: .loopback(key: frontKey), back: .loopback(key: backKey), kernel: kernel,
            debugFolders: folders)
    }

    /// Verified by whoever gets it, under that side's key; what is not changed is forwarded as it came.
    @Test(arguments: [("one", "other"), ("same", "same"), ("", "other"), ("one", "")])
    func areChangedAndSignedAnew(frontKey: String, backKey: String) throws {
        let rig = try rig(Self.folders, frontKey: frontKey, backKey: backKey)
        defer { rig.end() }
        let client = try rig.client()
        let asked = #"{"command":"source",  "arguments": {"source": {"path": "/home/ada/m.py"}}, "seq": 1.0}"#
        let request = SignedMessage("debug_request", session: client.session, content: asked)
        try client.send(request, on: .control)
        let reply = try client.reply(to: request.id, on: .control, timeout: 15_000)
        let heard = asked.replacing("/home/ada", with: "/work")
        #expect(
            reply.contentText
                == #"{"asked": \#(heard), "body": {"stackFrames": [{"source": {"path": "/home/ada/m.py"}}]}}"#
        )
        let received = rig.kernel.record.messages(on: .control).last { $0.type == "debug_request" }
        #expect(received?.contentText == heard)
        #expect(received?.header == request.header)
        let published = try client.outputs(of: request.id).first { $0.type == "debug_event" }
        #expect(published?.contentText == Self.event.replacing("/work", with: "/home/ada"))
        #expect(rig.relay.statistics.drops.isEmpty)
    }

    @Test func withoutTheSwitchEverythingPasses() throws {
        let rig = try rig(nil, frontKey: "one", backKey: "other")
        defer { rig.end() }
        let client = try rig.client()
        let asked = #"{"arguments": {"source": {"path": "/home/ada/m.py"}}}"#
        let request = SignedMessage("debug_request", session: client.session, content: asked)
        try client.send(request, on: .control)
        let reply = try client.reply(to: request.id, on: .control, timeout: 15_000)
        #expect(reply.contentText.contains(asked) && reply.contentText.contains("/work/m.py"))
    }

    /// A bad signature is looked at by nobody, and what only mentions the word is another message.
    @Test func onlyVerifiedMessagesOfADebuggerAreLookedAt() throws {
        let rig = try rig(Self.folders, frontKey: "one", backKey: "other")
        defer { rig.end() }
        let client = try rig.client()
        let asked = #"{"arguments": {"source": {"path": "/home/ada/m.py"}}}"#
        let forged = SignedMessage("debug_request", session: client.session, content: asked)
        var frames = forged.frames(for: rig.front)
        frames[1] = Array(String(repeating: "0", count: 64).utf8)
        try client.sendRaw(frames, on: .control)
        let named = SignedMessage(
            "other_request", session: client.session, content: asked, username: "\"debug_request\"")
        try client.send(named, on: .control)
        #expect(try client.reply(to: named.id, on: .control, timeout: 15_000).contentText == asked)
        #expect(!rig.kernel.record.types(on: .control).contains("debug_request"))
    }
}
