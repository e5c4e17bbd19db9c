import CCrypto
import Glibc
import RelayLink
import Synchronization

/// The program `relay-shim` on this host, which becomes the gate in a container.
struct GateBinary: Sendable, Equatable {
    let path: String
    /// SHA-256 of its bytes, in hex.
    let digest: String
    /// The processor that it is for, as the ELF header numbers it.
    let machine: UInt16

    /// Finds it: where `KERNELRELAY_SHIM` says, else beside this program, else on `PATH`.
    static func find(_ environment: [String: String]) async throws(RelayError) -> GateBinary {
        try await offload("kr-gate-binary") {
            Result { () throws(RelayError) in try read(try locate(environment)) }
        }
    }

    private static func locate(_ environment: [String: String]) throws(RelayError) -> String {
        if let named = environment["KERNELRELAY_SHIM"], !named.isEmpty {
            guard let path = absolute(named) else {
                throw RelayError(.gateBinary, RelayLink.printable(named), cause: errorText(errno))
            }
            return path
        }
        if let own = absolute("/proc/self/exe") {
            let folder = own.prefix(upTo: own.lastIndex(of: "/") ?? own.startIndex)
            if access("\(folder)/relay-shim", X_OK) == 0 { return "\(folder)/relay-shim" }
        }
        if let found = ProgramLookup.find("relay-shim", environment: environment), let path = absolute(found)
        {
            return path
        }
        throw RelayError(.gateBinary, "relay-shim is neither beside this program nor on PATH")
    }

    /// Through all links: it is mounted, and an engine mounts what the name means to it.
    private static func absolute(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    /// What identifies a file that was not written since.
    private struct Known: Hashable {
        let path: String
        let device, inode: UInt64
        let size, seconds, nanoseconds: Int
    }
    private static let known = Mutex<[Known: GateBinary]>([:])

    private static func read(_ path: String) throws(RelayError) -> GateBinary {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw RelayError(.gateBinary, path, cause: errorText(errno)) }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw RelayError(.gateBinary, path, cause: "not a regular file")
        }
        let key = Known(
            path: path, device: UInt64(facts.st_dev), inode: UInt64(facts.st_ino), size: Int(facts.st_size),
            seconds: facts.st_mtim.tv_sec, nanoseconds: facts.st_mtim.tv_nsec)
        if let binary = known.withLock({ $0[key] }) { return binary }
        let binary = GateBinary(
            path: path, digest: try digest(descriptor, path), machine: try machine(descriptor, path))
        // A release or two are all that a process ever sees.
        known.withLock { $0 = $0.count < 16 ? $0 : [:] }
        known.withLock { $0[key] = binary }
        return binary
    }

    private static func digest(_ descriptor: Int32, _ path: String) throws(RelayError) -> String {
        guard let context = EVP_MD_CTX_new() else { throw RelayError(.system, "EVP_MD_CTX_new") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            throw RelayError(.system, "EVP_DigestInit_ex")
        }
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw RelayError(.gateBinary, path, cause: errorText(errno))
            }
            EVP_DigestUpdate(context, chunk, count)
        }
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func machine(_ descriptor: Int32, _ path: String) throws(RelayError) -> UInt16 {
        var header = [UInt8](repeating: 0, count: 20)
        guard pread(descriptor, &header, header.count, 0) == header.count,
            header.starts(with: [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")])
        else { throw RelayError(.gateBinary, path, cause: "not a program of Linux") }
        // Byte 5 is 2 where the file is big-endian.
        return header[5] == 2
            ? UInt16(header[18]) << 8 | UInt16(header[19]) : UInt16(header[19]) << 8 | UInt16(header[18])
    }

    /// The processor's name, as images have it; nothing for one that is not known here.
    var architecture: String? {
        switch machine {
        case 3: "386"
        case 22: "s390x"
        case 40: "arm"
        case 62: "amd64"
        case 183: "arm64"
        case 243: "riscv64"
        default: nil
        }
    }
}
