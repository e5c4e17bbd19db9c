/// What one end of a link says of its streams when the link begins: in `hello` and in `welcome`.
///
/// A link may end while both ends and their streams live on. The next one goes on with those that both have: each end
/// sends anew what the other has not received.
package struct StreamOffer: Sendable, Equatable {
    /// Bytes that this end takes on each stream before it has handed any on; 0: it knows no streams.
    package var window: Int64
    /// The streams that it has, and how many bytes of each have arrived.
    package var received: [UInt32: Int64]

    package init(window: Int64 = 0, received: [UInt32: Int64] = [:]) {
        self.window = window
        self.received = received
    }

    package static let none = StreamOffer()
    package var isNone: Bool { window == 0 }

    /// Added to the fields of a message; nothing where there are no streams, as an earlier release would say it.
    func write(to fields: inout [String: JSON]) {
        guard !isNone else { return }
        fields["window"] = .whole(window)
        guard !received.isEmpty else { return }
        fields["streams"] = .object(
            Dictionary(uniqueKeysWithValues: received.map { (String($0.key), .whole($0.value)) }))
    }

    init(_ fields: Fields) throws(GateError) {
        window = try fields.optionalInteger("window", in: 0...StreamLimits.largestWindow) ?? 0
        received = [:]
        for (name, value) in try fields.map("streams") {
            guard let stream = UInt32(name), stream != Frame.control, String(stream) == name,
                let count = value.integer, count >= 0
            else { throw GateError(.message, "streams is not an object from number to number of bytes") }
            received[stream] = count
        }
    }
}
