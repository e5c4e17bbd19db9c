// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "KernelRelay",
    products: [
        .library(name: "KernelRelay", targets: ["KernelRelay"]),
        .executable(name: "embedded-relay", targets: ["EmbeddedRelay"]),
    ],
    targets: [
        .systemLibrary(name: "CZMQ"),
        .systemLibrary(name: "CCrypto"),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "KernelRelay", dependencies: ["CZMQ", "CCrypto", "CLinux"], swiftSettings: strict),
        .executableTarget(
            name: "EmbeddedRelay", dependencies: ["KernelRelay"], path: "Examples/EmbeddedRelay",
            swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
