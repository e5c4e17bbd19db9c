import Foundation
import Ground
import KernelRelay
import Testing

/// What engines say of containers, in real answers and in ones that nobody should trust.
@Suite struct InspectTests {
    private func read(_ name: String) throws -> Container {
        try Container(inspect: [UInt8](Repository.file("Tests/Fixtures/inspect/\(name).json")))
    }

    @Test func aContainerOnABridge() throws {
        let container = try read("docker-bridge")
        #expect(container.name == "kr-eng-f1" && container.id.count == 64 && container.state == .running)
        #expect(container.pid > 1 && container.image == "kernelrelay/debian-ipykernel")
        #expect(container.user == "1000:1000")
        #expect(container.addresses.count == 1 && container.addresses[0].hasPrefix("172.17.0."))
        #expect(container.published[10000] == [.init(address: "127.0.0.1", port: 24400)])
        #expect(
            container.published[10001] == [
                .init(address: "127.0.0.1", port: 24401, isEverywhere: true),
                .init(address: "::1", port: 24401, isEverywhere: true),
            ])
        #expect(container.published[10002] == nil, "UDP is of no use")
        #expect(container.binds.contains(.init(source: "/srv", destination: "/data")))
        #expect(!container.binds.contains { $0.destination == "/vol" }, "a volume is no folder of the host's")
        #expect(container.gateMount == "/.kernelrelay/relay-shim")
        #expect(container.isMadeByUp && container.labelledPorts?["stdin"] == 10004)
        #expect(!container.usesHostNetwork && !container.isRootReadOnly)
    }

    @Test func everyState() throws {
        #expect(try read("docker-paused").state == .paused)
        #expect(try read("docker-created").state == .created)
        let ended = try read("docker-exited")
        #expect(ended.state == .exited && ended.exitCode == 3 && ended.pid == 0 && ended.addresses.isEmpty)
    }

    @Test func everyNetwork() throws {
        let host = try read("docker-host-network")
        #expect(host.usesHostNetwork && host.addresses.isEmpty && host.published.isEmpty)
        let two = try read("docker-two-networks")
        #expect(two.addresses.count == 2 && Set(two.addresses).count == 2)
        let joined = try read("docker-joined-network")
        #expect(joined.isRootReadOnly && joined.addresses.isEmpty && joined.gateMount == nil)
    }

    @Test func podmansAnswerIsMuchTheSame() throws {
        let container = try read("podman-bridge")
        #expect(container.state == .running && container.pid > 1 && container.isMadeByUp)
        #expect(container.gateMount == GatePath.mount && container.addresses.count == 1)
        #expect(container.published.count == 5)
        #expect(container.published[10000]?.map(\.address) == ["127.0.0.1"])
    }

    /// Engines differ in what they leave out.
    @Test func missingFieldsAreNothing() throws {
        let container = try Container(inspect: Array(#"[{"Id": "ab12", "Extra": [1, {}]}]"#.utf8))
        #expect(container.id == "ab12" && container.name == "ab12" && container.state == .unknown)
        #expect(container.published.isEmpty && container.labels.isEmpty)
        let odd =
            #"[{"Id":"a","State":{"Running":true,"Pid":99999999999},"NetworkSettings":{"Networks":{"x":null},"#
            + #""Ports":{"10000/tcp":null,"x/tcp":[{"HostPort":"1"}],"0/tcp":[],"10001":[{"HostPort":"70000"}],"#
            + #""10002/tcp":[{"HostIp":"a b","HostPort":"5"},{"HostIp":"","HostPort":"6"}]}}}]"#
        let strange = try Container(inspect: Array(odd.utf8))
        #expect(strange.state == .running && strange.pid == 0)
        #expect(strange.published == [10002: [.init(address: "127.0.0.1", port: 6, isEverywhere: true)]])
    }

    @Test(arguments: [
        "", "[]", "null", "{}", "[{}]", "[null]", "[{\"Id\": 5}]", "[{\"Id\": \"\"}]", "[{\"Id\": \"-x\"}]",
        "[{\"Id\": \"a b\"}]", "[{\"Id\":\"a\"},{\"Id\":\"b\"}]", "[{\"Id\":\"a\",\"State\":7}]",
        "[{\"Id\":\"a\",\"Mounts\":{}}]", "[{\"Id\":\"a\",\"Config\":{\"Labels\":{\"x\":1}}}]",
        "[{\"Id\":\"a\",\"State\":{\"Pid\":1e400}}]", "\u{0}", "[{\"Id\":\"a\"",
        String(repeating: "[", count: 100_000), "[{\"Id\":" + String(repeating: "{\"a\":", count: 50_000),
    ])
    func whatIsNoAnswerIsRefused(_ text: String) throws {
        #expect { try Container(inspect: Array(text.utf8)) } throws: {
            ($0 as? RelayError)?.code == .engineFailed
        }
    }

    @Test func aLabelThatIsNotOursIsNothing() {
        #expect(Labels.read(Labels.text(["shell": 1, "iopub": 2, "stdin": 2, "control": 4, "hb": 5])) != nil)
        for text in [
            "", "shell=1", "shell=x", "a=1,b=2,c=3,d=4,e=5", "shell=1,iopub=2,stdin=3,control=4,hb=70000",
        ] {
            #expect(Labels.read(text) == nil)
        }
    }
}
