import Glibc

/// The environment that this process was started with.
package enum CurrentEnvironment {
    package static let variables: [String: String] = {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(
                separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            // Of two with one name, getenv takes the first.
            if pair.count == 2, !pair[0].isEmpty, variables[String(pair[0])] == nil {
                variables[String(pair[0])] = String(pair[1])
            }
            entry += 1
        }
        return variables
    }()
}
