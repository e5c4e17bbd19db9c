import Glibc
import RelayLink

/// What a login as the gate's user would set, for a kernel that was asked for with a user.
///
/// An exec sets HOME at most, and only where the image does not: so it would be another user's, or `/` for a user whom
/// the container does not know, and no USER at all.
package struct Login: Sendable, Equatable {
    /// As the container knows it, if it does.
    package var account: Account
    /// For a user whom the container does not know: what whoever starts the kernel is called, and the id.
    package var caller: String
    package var uid: UInt32

    package init(account: Account = .current, caller: String, uid: UInt32 = getuid()) {
        self.account = account
        self.caller = caller
        self.uid = uid
    }

    /// A number for want of a name: programs ask for USER before they look the id up, and fail where both are missing.
    package var name: String { account.name ?? (caller.isEmpty ? String(uid) : caller) }
}

extension Environment {
    /// - Parameter changes: what the launch sets anyway.
    mutating func change(by login: Login, unless changes: [String: String?]) {
        values["USER"] = login.name
        values["LOGNAME"] = login.name
        values["SHELL"] = Self.shell([login.account.shell, values["SHELL"], "/bin/bash", "/bin/sh"])
        if changes["HOME"] == nil { values["HOME"] = home(of: login) }
        // An image may have set these for a user of its own; what cannot be used is better left to its place in HOME.
        for name in Self.folders {
            if let path = values[name], !Self.isUsable(path) { values[name] = nil }
        }
    }

    private static let folders = [
        "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
    ]

    private func home(of login: Login) -> String {
        // That of an account is its home, whatever can be written there: it has the user's own files.
        if let home = login.account.home, Self.isFolder(home), access(home, X_OK) == 0 { return home }
        // Images for users of any id have a home that all may write to.
        if let home = values["HOME"], Self.isUsable(home) { return home }
        return PrivateHome.path(for: login.uid) ?? "/"
    }

    /// The first that runs. One that only says no would be started by programs that ask for a shell.
    private static func shell(_ candidates: [String?]) -> String? {
        candidates.compactMap(\.self).first { path in
            let name = path.split(separator: "/").last ?? ""
            return name != "nologin" && name != "false" && !isFolder(path) && access(path, X_OK) == 0
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    private static func isUsable(_ path: String) -> Bool {
        path.hasPrefix("/") && isFolder(path) && access(path, W_OK | X_OK) == 0
    }
}
