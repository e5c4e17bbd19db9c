import RelayLink

/// What a relay answers in the place of a kernel: a table, without a socket.
package enum StandIn {
    /// One message of an answer, between `busy` and `idle`.
    package enum Saying: Equatable, Sendable {
        case publish(String, JSON)
        case reply(String, JSON)
    }

    /// The answer to everything but a cell.
    package static func sayings(
        to type: String, _ content: [String: JSON], _ speech: Speech
    ) -> [Saying] {
        guard type.hasSuffix("_request") else { return [] }
        let name = String(type.dropLast("request".count)) + "reply"
        switch type {
        case "kernel_info_request": return [.reply(name, kernelInfo(speech))]
        case "is_complete_request": return [.reply(name, ["status": "complete"])]
        case "complete_request":
            let place = content["cursor_pos"] ?? 0
            return [
                .reply(
                    name,
                    [
                        "status": "ok", "matches": [], "cursor_start": place, "cursor_end": place,
                        "metadata": [:],
                    ])
            ]
        case "inspect_request":
            return [.reply(name, ["status": "ok", "found": false, "data": [:], "metadata": [:]])]
        case "history_request": return [.reply(name, ["status": "ok", "history": []])]
        case "comm_info_request": return [.reply(name, ["status": "ok", "comms": [:]])]
        case "interrupt_request": return [.reply(name, ["status": "ok"])]
        case "shutdown_request":
            let reply: JSON = ["status": "ok", "restart": .bool(content["restart"]?.flag ?? false)]
            return [.reply(name, reply), .publish(name, reply)]
        default: return [.reply(name, failure(speech))]
        }
    }

    /// The answer to a cell that nobody runs.
    ///
    /// - Parameter count: the number beside the cell.
    package static func sayings(
        to cell: Cell, _ verdict: Cell.Verdict, _ speech: Speech, count: Int
    ) -> [Saying] {
        let number = JSON.whole(Int64(count))
        switch verdict {
        case .aborted: return [.reply("execute_reply", ["status": "aborted", "execution_count": number])]
        case .failed:
            var reply = failure(speech).fields ?? [:]
            reply["execution_count"] = number
            reply["user_expressions"] = [:]
            reply["payload"] = []
            let said = Saying.reply("execute_reply", .object(reply))
            return cell.isSilent ? [said] : [.publish("error", error(speech)), said]
        }
    }

    private static func error(_ speech: Speech) -> JSON {
        [
            "ename": .string(speech.name), "evalue": .string(speech.text),
            "traceback": .array(speech.traceback.map { .string($0) }),
        ]
    }

    private static func failure(_ speech: Speech) -> JSON {
        var fields = error(speech).fields ?? [:]
        fields["status"] = "error"
        return .object(fields)
    }

    /// A client reads the language from it, and what a kernel is called; Jupyter shows nothing of the rest by itself.
    private static func kernelInfo(_ speech: Speech) -> JSON {
        [
            "status": "ok", "protocol_version": "5.3", "implementation": "kernelrelay",
            "implementation_version": .string(ControlProtocol.release),
            "language_info": [
                "name": "python", "version": "3", "mimetype": "text/x-python", "file_extension": ".py",
                "pygments_lexer": "ipython3", "nbconvert_exporter": "python",
                "codemirror_mode": ["name": "ipython", "version": 3],
            ],
            "banner": .string("There is no kernel. \(speech.name): \(speech.text)"), "help_links": [],
            "debugger": false, "supported_features": [],
        ]
    }
}
