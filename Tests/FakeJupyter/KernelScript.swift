/// What a fake kernel does about one request, step by step.
package indirect enum KernelAction: Sendable {
    /// Answers on the channel that the request came by.
    case reply(String, content: String, buffers: [[UInt8]] = [])
    /// Publishes on iopub; the topic is `kernel.<type>` where none is given.
    case publish(String, content: String, buffers: [[UInt8]] = [])
    /// Sends input_request on stdin; when the answer is there, publishes it as a stream, then goes on.
    case ask(prompt: String, then: [KernelAction])
    /// Publishes `count` stream messages with contents of `size` bytes, each with its number as `seq`, losing none
    /// however slow the reader; goes on when the last is handed over.
    case flood(count: Int, size: Int, then: [KernelAction])
    /// The same at the speed of libzmq: `count` messages out of a pool signed beforehand, with contents of `size`
    /// bytes, each with its number as the one buffer (eight bytes, little-endian), for which the signature need
    /// not be made anew.
    case storm(count: Int, size: Int, then: [KernelAction])
    /// Ends the kernel once what was said is on its way.
    case exit
}

/// A request in, actions out. A test that wants another kernel gives another function.
package typealias KernelScript = @Sendable (PeerChannel, SignedMessage) -> [KernelAction]

/// The usual kernel:
/// - `kernel_info_request`, `interrupt_request`, `shutdown_request` answered as kernels do;
/// - `execute_request`: `code` is echoed as a stream; with `"ask": "prompt"` it asks for input first;
/// - `flood_request`: `{"count": N, "size": S}`, then `flood_reply`;
/// - `storm_request`: `{"count": N, "size": S}`, then `storm_reply`;
/// - any other `x_request` is answered by `x_reply` with the request's own content and buffers.
package let usualScript: KernelScript = { channel, message in
    let busy = KernelAction.publish("status", content: #"{"execution_state": "busy"}"#)
    let idle = KernelAction.publish("status", content: #"{"execution_state": "idle"}"#)
    switch message.type {
    case "kernel_info_request":
        return [busy, .reply("kernel_info_reply", content: kernelInfo), idle]
    case "execute_request":
        let code = JSONText.string("code", in: message.content) ?? ""
        let silent = JSONText.bool("silent", in: message.content) ?? false
        let reply = KernelAction.reply(
            "execute_reply", content: #"{"status": "ok", "execution_count": 1, "user_expressions": {}}"#)
        if let prompt = JSONText.string("ask", in: message.content) {
            return [busy, .ask(prompt: prompt, then: [reply, idle])]
        }
        let echo = KernelAction.publish(
            "stream", content: #"{"name": "stdout", "text": "# + JSONText.quoted(code) + "}")
        return silent ? [busy, reply, idle] : [busy, echo, reply, idle]
    case "flood_request":
        let count = JSONText.int("count", in: message.content) ?? 1
        let size = JSONText.int("size", in: message.content) ?? 100
        return [busy, .flood(count: count, size: size, then: [.reply("flood_reply", content: "{}"), idle])]
    case "storm_request":
        let count = JSONText.int("count", in: message.content) ?? 1
        let size = JSONText.int("size", in: message.content) ?? 100
        return [busy, .storm(count: count, size: size, then: [.reply("storm_reply", content: "{}"), idle])]
    case "shutdown_request":
        let content = String(decoding: message.content, as: UTF8.self)
        return [
            busy, .reply("shutdown_reply", content: content), .publish("shutdown_reply", content: content),
            idle, .exit,
        ]
    case let type where type.hasSuffix("_request"):
        let name = String(type.dropLast("request".count)) + "reply"
        return [busy, .reply(name, content: message.contentText, buffers: message.buffers), idle]
    default:
        return []
    }
}

private let kernelInfo = """
    {"status": "ok", "protocol_version": "5.4", "implementation": "fake", "implementation_version": "1", \
    "language_info": {"name": "fake", "version": "1", "mimetype": "text/plain", "file_extension": ".txt"}, \
    "banner": "a fake kernel", "help_links": []}
    """
