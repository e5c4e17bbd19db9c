// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "KernelRelay",
    products: [
        .library(name: "KernelRelay", targets: ["KernelRelay"]),
        .executable(name: "embedded-relay", targets: ["EmbeddedRelay"]),
        .executable(name: "relayd", targets: ["relayd"]),
        .executable(name: "relay-shim", targets: ["relay-shim"]),
    ],
    targets: [
        .systemLibrary(name: "CZMQ"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "KernelRelay", dependencies: ["CZMQ", "CCrypto", "CLinux", "RelayLink", "Host"],
            // Part of the program: relayd is one file, and asks no other for anything.
            resources: ["page.html", "page.css", "format.js", "plots.js", "page.js", "stream.js"].map {
                .embedInCode("Web/page/\($0)")
            },
            swiftSettings: strict),
        .executableTarget(name: "relayd", dependencies: ["KernelRelay"], swiftSettings: strict),
        .executableTarget(
            name: "EmbeddedRelay", dependencies: ["KernelRelay"], path: "Examples/EmbeddedRelay",
            swiftSettings: strict),

        // What both links speak, the gate, and the shim: no libzmq, no libcrypto, no Foundation, or the static
        // binary would need them inside every container.
        .target(name: "RelayLink", swiftSettings: strict),
        .target(name: "Gate", dependencies: ["RelayLink", "CLinux"], swiftSettings: strict),
        .target(name: "Host", dependencies: ["RelayLink", "CLinux"], swiftSettings: strict),
        .target(name: "Shim", dependencies: ["Host", "RelayLink", "CLinux"], swiftSettings: strict),
        .executableTarget(
            name: "relay-shim", dependencies: ["Gate", "RelayLink", "Shim"],
            swiftSettings: strict + [.unsafeFlags(["-static-executable"])],
            linkerSettings: [.unsafeFlags(["-static-executable", "-Xlinker", "-s"])]),

        // A Jupyter client and a kernel to test against. It must not depend on what it bears witness to.
        .target(
            name: "FakeJupyter", dependencies: ["CZMQ", "CCrypto"], path: "Tests/FakeJupyter",
            swiftSettings: strict),
        // Files, folders and bytes for tests.
        .target(name: "Ground", path: "Tests/Ground", swiftSettings: strict),

        .testTarget(
            name: "FakeJupyterTests", dependencies: ["FakeJupyter"], path: "Tests/FakeJupyterTests",
            swiftSettings: strict),

        .testTarget(
            name: "WireTests", dependencies: ["Ground", "KernelRelay", "Host", "CZMQ", "CLinux"],
            path: "Tests/WireTests",
            swiftSettings: strict),
        .testTarget(
            name: "RelayTests", dependencies: ["KernelRelay", "RelayLink", "FakeJupyter", "EmbeddedRelay"],
            path: "Tests/RelayTests", swiftSettings: strict),
        .testTarget(
            name: "LinkTests", dependencies: ["Ground", "RelayLink"], path: "Tests/LinkTests",
            swiftSettings: strict),
        .testTarget(
            name: "ShimTests", dependencies: ["Ground", "Shim", "Host", "RelayLink", "CLinux"],
            path: "Tests/ShimTests",
            swiftSettings: strict),
        .testTarget(
            name: "SessionTests",
            dependencies: ["Ground", "KernelRelay", "RelayLink", "Host", "FakeJupyter", "CLinux"],
            path: "Tests/SessionTests", swiftSettings: strict),
        .testTarget(
            name: "ViewTests", dependencies: ["Ground", "KernelRelay", "RelayLink"], path: "Tests/ViewTests",
            exclude: ["Golden"], swiftSettings: strict),
        .testTarget(
            name: "PageTests", dependencies: ["KernelRelay", "RelayLink", "CLinux"], path: "Tests/PageTests",
            swiftSettings: strict),
        .testTarget(
            name: "KernelspecTests", dependencies: ["KernelRelay", "Host", "RelayLink"],
            path: "Tests/KernelspecTests", swiftSettings: strict),
        .testTarget(
            name: "ProjectTests", dependencies: ["KernelRelay", "Host", "RelayLink"],
            path: "Tests/ProjectTests", swiftSettings: strict),
        .testTarget(
            name: "DoctorTests", dependencies: ["Ground", "KernelRelay", "Host", "RelayLink"],
            path: "Tests/DoctorTests", swiftSettings: strict),
        .testTarget(
            name: "DiagnosticsTests", dependencies: ["KernelRelay", "RelayLink"],
            path: "Tests/DiagnosticsTests", swiftSettings: strict),
        .testTarget(
            name: "GateTests",
            dependencies: ["Ground", "Gate", "RelayLink", "KernelRelay", "FakeJupyter", "CLinux"],
            path: "Tests/GateTests", swiftSettings: strict),
        .testTarget(
            name: "EngineTests", dependencies: ["Ground", "KernelRelay", "RelayLink", "Host", "CLinux"],
            path: "Tests/EngineTests", swiftSettings: strict),

        // The bench: load, sink and table; and libzmq's own proxy to be measured against.
        .executableTarget(
            name: "relay-bench", dependencies: ["CZMQ", "CCrypto", "FakeJupyter"], path: "Benchmarks/Bench",
            swiftSettings: strict),
        .executableTarget(
            name: "bench-zmq-proxy", dependencies: ["CZMQ"], path: "Benchmarks/ZMQProxy",
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
