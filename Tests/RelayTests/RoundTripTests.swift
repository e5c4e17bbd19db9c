import FakeJupyter
import KernelRelay
import Testing

@Suite struct RoundTripTests {
    @Test func aRequestAndAllThatItCausesPass() throws {
        let rig = try Rig()
        let client = try rig.client()
        let reply = try client.ask("execute_request", content: #"{"code": "1+1"}"#)
        #expect(reply.type == "execute_reply")
        #expect(try client.outputs(of: reply.parentID).map(\.type).last == "status")
        #expect(try client.ping())
    }
}
