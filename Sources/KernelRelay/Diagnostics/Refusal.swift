import Host
import RelayLink

/// Why something was not done, in the form in which it travels to a shim: whoever found it out, the relay, the
/// engine or the gate.
package struct Refusal: Error, Sendable, Equatable {
    package let code: String
    package let message: String
    package let remedy: String
    /// A code of what was found besides, which tells causes of one code apart.
    package var finding: String?

    package init(code: String, message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    package init(_ error: RelayError) {
        let why = error.cause.map { " (\($0))" } ?? ""
        self.init(
            code: error.code.rawValue, message: "\(error.code.entry.summary): \(error.context)\(why)",
            remedy: error.remedy)
    }

    package init(_ code: ErrorCode, _ context: String) { self.init(RelayError(code, context)) }

    package init(_ error: HostError) {
        self.init(code: error.code.rawValue, message: error.message, remedy: error.remedy)
    }

    package init(_ error: GateError) {
        self.init(code: error.code.rawValue, message: error.message, remedy: error.remedy)
    }

    /// The same as a message of the control socket.
    package func report(for request: Int64?) -> ControlReport {
        .failed(request: request, code: code, message: message, remedy: remedy)
    }

    package func isGate(_ code: GateErrorCode) -> Bool { self.code == code.rawValue }
}

extension Refusal: CustomStringConvertible {
    package var description: String { "\(code): \(message). \(remedy)" }
}

/// Runs what throws a relay's error where a refusal is thrown.
func refusing<Value>(
    isolation: isolated (any Actor)? = #isolation, _ work: () async throws(RelayError) -> Value
) async throws(Refusal) -> Value {
    do throws(RelayError) { return try await work() } catch { throw Refusal(error) }
}
