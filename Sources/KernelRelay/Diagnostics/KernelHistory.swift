/// What a kernel was like in the last ten minutes: one sample every two seconds, the oldest forgotten.
package struct KernelHistory: Sendable {
    package struct Sample: Sendable, Equatable {
        /// Nothing where a beat was lost.
        package var roundTrip: Duration?
        package var messagesPerSecond: Float
        package var word: KernelVerdict.Word

        package init(roundTrip: Duration?, messagesPerSecond: Float, word: KernelVerdict.Word) {
            self.roundTrip = roundTrip
            self.messagesPerSecond = messagesPerSecond
            self.word = word
        }
    }

    private var ring: [Sample] = []
    private var next = 0

    package init() {}

    package mutating func append(_ sample: Sample) {
        if ring.count < Tuning.historySamples {
            ring.append(sample)
        } else {
            ring[next] = sample
            next = (next + 1) % ring.count
        }
    }

    /// The oldest first.
    package var samples: [Sample] { Array(ring[next...] + ring[..<next]) }
}
