import Foundation
import RelayLink
import Testing

@testable import KernelRelay

/// Reports from `Tests/Fixtures/status`, and the screens that were looked at and found good.
enum Fixture {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

    static func json(_ name: String) throws -> JSON {
        try JSON(parsing: Array(Data(contentsOf: root.appending(path: "Fixtures/status/\(name).json"))))
    }

    static func reading(_ name: String) throws -> Reading { Reading(try json(name)) }

    /// The kernels of one report again and again, each with an id of its own.
    static func reading(kernels count: Int) throws -> Reading {
        var reading = try reading("six")
        reading.kernels = (0..<count).map { index in
            var kernel = reading.kernels[index % reading.kernels.count]
            kernel.id = "\(1000 + index)\(kernel.id.dropFirst(4))"
            return kernel
        }
        return reading
    }

    /// With KERNELRELAY_GOLDEN=write in the environment a screen is written down instead of compared: look at it.
    static func expectGolden(_ lines: [String], _ name: String) throws {
        let file = root.appending(path: "ViewTests/Golden/\(name).txt")
        let text = lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["KERNELRELAY_GOLDEN"] == "write" {
            try Data(text.utf8).write(to: file)
        }
        let golden = String(decoding: try Data(contentsOf: file), as: UTF8.self)
        #expect(text == golden, "\(name)")
    }

    static let plain = Look(colours: false, unicode: true)
    static let ascii = Look(colours: false, unicode: false)
}
