import KernelRelay
import RelayLink
import Testing

/// What a relay says in a kernel's place: no socket, no kernel.
@Suite struct StandInTests {
    private static let speech = Speech(name: "KR-X", text: "why", traceback: ["why", "mend"])

    private func cell(_ content: String = "{}", from client: String = "a") -> Cell {
        Cell(identities: [Array(client.utf8)], header: Array("h".utf8), content: Array(content.utf8))
    }

    /// Every request gets a reply of its name, with what its readers look for.
    @Test(arguments: [
        ("kernel_info_request", "kernel_info_reply", "ok", ["protocol_version", "language_info", "banner"]),
        ("is_complete_request", "is_complete_reply", "complete", []),
        ("complete_request", "complete_reply", "ok", ["matches", "cursor_start", "cursor_end", "metadata"]),
        ("inspect_request", "inspect_reply", "ok", ["found", "data", "metadata"]),
        ("history_request", "history_reply", "ok", ["history"]),
        ("comm_info_request", "comm_info_reply", "ok", ["comms"]),
        ("interrupt_request", "interrupt_reply", "ok", []),
        ("shutdown_request", "shutdown_reply", "ok", ["restart"]),
        ("debug_request", "debug_reply", "error", ["ename", "evalue", "traceback"]),
        ("usage_request", "usage_reply", "error", ["ename", "evalue", "traceback"]),
    ])
    func aRequestHasItsReply(type: String, name: String, status: String, fields: [String]) {
        let sayings = StandIn.sayings(to: type, [:], Self.speech)
        guard case .reply(name, let content)? = sayings.first else {
            Issue.record("\(type): \(sayings)")
            return
        }
        #expect(content.fields?["status"]?.text == status)
        for field in fields { #expect(content.fields?[field] != nil, "\(field) of \(type)") }
        #expect(sayings.count == (type == "shutdown_request" ? 2 : 1))
    }

    @Test(arguments: ["comm_open", "comm_msg", "input_reply", "", "_reply", "request"])
    func whatIsNoRequestHasNone(type: String) {
        #expect(StandIn.sayings(to: type, [:], Self.speech) == [])
    }

    @Test func aRestartIsOne() {
        let sayings = StandIn.sayings(to: "shutdown_request", ["restart": true], Self.speech)
        guard case .reply(_, let content)? = sayings.first else { return }
        #expect(content.fields?["restart"] == true)
    }

    @Test func aCellIsToldWhy() throws {
        let sayings = StandIn.sayings(to: cell(), .failed, Self.speech, count: 3)
        guard sayings.count == 2, case .publish("error", let error) = sayings[0],
            case .reply("execute_reply", let reply) = sayings[1]
        else {
            Issue.record("\(sayings)")
            return
        }
        for said in [error, reply] {
            #expect(said.fields?["ename"] == "KR-X" && said.fields?["evalue"] == "why")
            #expect(said.fields?["traceback"]?.list == ["why", "mend"])
        }
        #expect(reply.fields?["status"] == "error" && reply.fields?["execution_count"] == 3)
    }

    @Test func aSilentOneIsToldInTheReplyAlone() {
        let silent = cell(#"{"silent": true}"#)
        let sayings = StandIn.sayings(to: silent, .failed, Self.speech, count: 1)
        #expect(sayings.count == 1)
        #expect(!silent.storesHistory)
    }

    @Test(arguments: [
        ("{}", false, true, true), (#"{"silent": true}"#, true, false, true),
        (#"{"store_history": false, "stop_on_error": false}"#, false, false, false),
        (#"{"silent": "yes", "stop_on_error": 0}"#, false, true, true), ("nonsense", false, true, true),
        ("[]", false, true, true), ("", false, true, true),
    ])
    func flagsHaveUsualValues(content: String, silent: Bool, history: Bool, stops: Bool) {
        let cell = cell(content)
        #expect(cell.isSilent == silent && cell.storesHistory == history && cell.stopsOnError == stops)
    }

    @Test func whatStoodBehindIsAborted() {
        let going = #"{"stop_on_error": false}"#
        let table: [([(String, String)], [Cell.Verdict])] = [
            ([], []),
            ([("a", "{}")], [.failed]),
            ([("a", "{}"), ("a", "{}"), ("a", going)], [.failed, .aborted, .aborted]),
            // Another client has not been told anything yet.
            ([("a", "{}"), ("b", "{}"), ("a", "{}"), ("b", "{}")], [.failed, .failed, .aborted, .aborted]),
            (
                [("a", going), ("a", going), ("a", "{}"), ("a", going)],
                [.failed, .failed, .failed, .aborted]
            ),
        ]
        for (cells, expected) in table {
            #expect(Cell.verdicts(cells.map { cell($0.1, from: $0.0) }) == expected)
        }
    }
}
