/// Where the gate's program stands in a container.
package enum GatePath {
    package static let mountFolder = "/.kernelrelay"
    /// Of a container that was started with the gate.
    package static let mount = "/.kernelrelay/relay-shim"

    /// Of a copy, named by what it is: another release finds its own. In the root folder, because that is always
    /// there and never a file system in memory, into which no client can copy.
    static func copy(_ binary: GateBinary) -> String { "/\(copyName(binary))" }
    static func copyName(_ binary: GateBinary) -> String { ".kernelrelay-\(binary.digest.prefix(16))" }
}
