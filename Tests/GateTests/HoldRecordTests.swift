import Gate
import RelayLink
import Testing

/// What gates and `hold` say to each other, and what a gate keeps of it.
@Suite struct HoldRecordTests {
    @Test func recordsAreReadAsTheyAreWritten() {
        for ago: Int64 in [0, 1, 500, 1 << 40, .max] {
            #expect(UseRecord(UseRecord(ago: ago).bytes) == UseRecord(ago: ago))
            for limit in LifetimeLimit.allCases {
                #expect(EndRecord(EndRecord(limit, left: ago).bytes) == EndRecord(limit, left: ago))
            }
        }
        #expect(EndRecord(.lifetime, left: 258).bytes == [2, 0, 0, 0, 0, 0, 0, 1, 2])
        #expect(UseRecord(ago: -5).ago == 0 && EndRecord(.idle, left: -5).left == 0)
        for isNeeded in [true, false] {
            #expect(NeedRecord(NeedRecord(isNeeded: isNeeded).bytes) == NeedRecord(isNeeded: isNeeded))
        }
    }

    @Test(arguments: [
        [], [1], [2], [0, 0, 0, 0, 0, 0, 0], [0x80, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 1],
        [3, 0, 0, 0, 0, 0, 0, 0, 1], [1, 0x80, 0, 0, 0, 0, 0, 1, 1], [UInt8](repeating: 1, count: 10),
    ])
    func whatIsNoneMeansNothing(bytes: [UInt8]) {
        #expect(UseRecord(bytes) == nil)
        #expect(EndRecord(bytes) == nil)
        if bytes != [1] { #expect(NeedRecord(bytes) == nil) }
    }

    // MARK: - What a link that comes later is told

    @Test func useAfterItWasToldTakesAnIdleEndBack() {
        var ends = ToldEnds()
        ends.told(EndRecord(.idle, left: 5000), now: 10_000)
        // What was used before, however it is told afterwards, was known to who told it.
        ends.used(at: 9_999)
        #expect(ends.left(at: 12_000) == [EndRecord(.idle, left: 3000)])
        // Vitals tell of it once a second, and so late.
        ends.used(at: 10_400)
        #expect(ends.left(at: 12_000).isEmpty)
    }

    @Test func nothingTakesALifetimeBack() {
        var ends = ToldEnds()
        ends.told(EndRecord(.lifetime, left: 9000), now: 10_000)
        ends.told(EndRecord(.idle, left: 5000), now: 11_000)
        #expect(ends.left(at: 12_000) == [EndRecord(.lifetime, left: 7000), EndRecord(.idle, left: 4000)])
        ends.used(at: 11_500)
        #expect(ends.left(at: 30_000) == [EndRecord(.lifetime, left: 1)], "0 would be the end itself")
        ends.told(EndRecord(.lifetime, left: 2000), now: 30_000)
        #expect(ends.left(at: 30_000) == [EndRecord(.lifetime, left: 2000)])
    }

    // MARK: - A gate that nobody has a link to

    @Test func anAbsenceIsOverWhenNobodyWasThereForSoLong() {
        var absence = Absence(limit: .seconds(90), at: Moment(nanoseconds: 100_000_000_000))
        func isOver(at second: UInt64, isReached: Bool = false) -> Bool {
            absence.isOver(at: Moment(nanoseconds: second * 1_000_000_000), isReached: isReached)
        }
        #expect(!isOver(at: 100))
        #expect(!isOver(at: 189))
        // An engine that is down for an hour.
        for second: UInt64 in stride(from: 189, to: 3800, by: 10) {
            #expect(!isOver(at: second, isReached: true))
        }
        #expect(!isOver(at: 3888))
        #expect(isOver(at: 3889))
    }
}
