import FoundationEssentials
import Glibc

/// Whoever runs `relayd`: the environment, and the programs beside it.
enum Caller {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// relay-shim, by its whole path: a kernel.json is read with another PATH and in another folder.
    static func shim(_ environment: [String: String]) throws(RelayError) -> String {
        var path = environment["KERNELRELAY_SHIM"] ?? ""
        if path.isEmpty {
            let own = realPath("/proc/self/exe") ?? ""
            path = "\(own.split(separator: "/").dropLast().map { "/\($0)" }.joined())/relay-shim"
        }
        guard access(path, X_OK) == 0, let whole = realPath(path) else {
            throw RelayError(.gateBinary, path)
        }
        return whole
    }

    private static func realPath(_ path: String) -> String? {
        guard let whole = realpath(path, nil) else { return nil }
        defer { free(whole) }
        return String(cString: whole)
    }
}
