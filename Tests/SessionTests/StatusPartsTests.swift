import KernelRelay
import RelayLink
import Testing

@Suite struct StatusPartsTests {
    private func report(_ count: Int) -> JSON {
        let kernels = (0..<count).map { number -> JSON in
            ["id": .string("kernel-\(number)"), "text": .string(String(repeating: "x", count: 1000))]
        }
        return ["schema_version": 2, "kernels": .array(kernels), "gates": []]
    }

    @Test(arguments: [0, 1, 7, 2000]) func partsFitAndJoin(_ count: Int) {
        let parts = StatusParts.split(report(count))
        #expect(parts.count == (count == 2000 ? 4 : 1))
        for part in parts {
            let message = ControlReport.status(request: 1, part, more: true)
            #expect(Frame(payload: message.json).encoded != nil)
        }
        #expect(StatusParts.join(parts) == report(count))
    }

    /// One that is larger than a part stands alone.
    @Test func aPartHasAtLeastOneKernel() {
        let parts = StatusParts.split(report(3), limit: 10)
        #expect(parts.map { $0.fields?["kernels"]?.list?.count } == [1, 1, 1])
        #expect(StatusParts.join(parts) == report(3))
    }

    @Test func whatHasNoKernelsIsOnePart() {
        #expect(StatusParts.split(.null) == [.null])
        #expect(StatusParts.join([]) == .null)
    }
}
