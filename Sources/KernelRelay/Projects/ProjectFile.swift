import Glibc
import RelayLink

/// `.kernelrelay.json`: where it is looked for, and whose it may be.
///
/// It comes with what people clone, and so says little ([projects](docs/projects.md)); and it decides where their code
/// runs, and so nobody else may be able to write it.
package enum ProjectFile {
    package static let name = ".kernelrelay.json"

    package enum Search: Sendable, Equatable {
        case found(path: String, bytes: [UInt8])
        /// Where it was looked for in vain, and why no further.
        case none(String)
    }

    /// The nearest one, from a folder upward. Files that are looked at may be on a network, so that this may take long.
    package static func look(from folder: String) throws(RelayError) -> Search {
        guard let real = realpath(folder, nil) else {
            return .none("\(RelayLink.printable(folder)) cannot be looked into: \(errorText(errno))")
        }
        defer { free(real) }
        let start = String(cString: real)
        var place = start
        while true {
            if let reason = distrust(of: place) {
                let shown = RelayLink.printable(place, limit: 500)
                return .none(
                    place == start
                        ? "\(shown) is not looked into: \(reason)"
                        : "from \(RelayLink.printable(start, limit: 500)) upward, up to \(shown), which is not looked into: \(reason)"
                )
            }
            let path = place == "/" ? "/\(name)" : "\(place)/\(name)"
            if let bytes = try read(path) { return .found(path: path, bytes: bytes) }
            if place == "/" {
                return .none("from \(RelayLink.printable(start, limit: 500)) upward there is no \(name)")
            }
            place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
            if place.isEmpty { place = "/" }
        }
    }

    /// Why what stands in a folder is nobody's word here: in a folder of another's, of everybody's or of a group's, others
    /// decide which of one's files has this name.
    private static func distrust(of folder: String) -> String? {
        var facts = stat()
        guard stat(folder, &facts) == 0 else { return errorText(errno) }
        if !isTrusted(facts.st_uid) { return "it belongs to another user" }
        if facts.st_mode & S_IWOTH != 0 { return "everybody may write to it" }
        return isOthers(facts) ? "its group may write to it (chmod g-w)" : nil
    }

    /// Nothing where there is none. One that may not be used is not passed by: another one above may say something else.
    private static func read(_ path: String) throws(RelayError) -> [UInt8]? {
        func refused(_ reason: String) -> RelayError {
            RelayError(.projectFile, RelayLink.printable(path, limit: 1000), cause: reason)
        }
        // A link shows what is elsewhere; and a FIFO must not hold up whoever opens it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw refused(errno == ELOOP ? "it is a link" : errorText(errno))
        }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else { throw refused(errorText(errno)) }
        guard facts.st_mode & S_IFMT == S_IFREG else { throw refused("it is no regular file") }
        guard isTrusted(facts.st_uid) else { throw refused("it belongs to another user") }
        guard facts.st_mode & S_IWOTH == 0 else { throw refused("everybody may write it") }
        if isOthers(facts) { throw refused("its group may write it") }
        do throws(BoundedRead.Failure) {
            return try BoundedRead.all(descriptor, limit: Tuning.largestProjectFile)
        } catch {
            switch error {
            case .failed(let number): throw refused(errorText(number))
            case .tooLarge: throw refused("it has more than \(Tuning.largestProjectFile) bytes")
            }
        }
    }

    private static func isTrusted(_ owner: uid_t) -> Bool { owner == geteuid() || owner == 0 }

    /// Whether a group may write it that has others in it than the owner.
    private static func isOthers(_ facts: stat) -> Bool {
        facts.st_mode & S_IWGRP != 0 && !isOwnersAlone(facts.st_gid, facts.st_uid)
    }

    /// Where every user has a group of the same name and without others, files are often the group's to write.
    private static func isOwnersAlone(_ group: gid_t, _ owner: uid_t) -> Bool {
        var buffer = [CChar](repeating: 0, count: 16 * 1024)
        var user = passwd()
        var foundUser: UnsafeMutablePointer<passwd>?
        guard getpwuid_r(owner, &user, &buffer, buffer.count, &foundUser) == 0, foundUser != nil,
            user.pw_gid == group
        else { return false }
        let name = String(cString: user.pw_name)
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        guard getgrgid_r(group, &entry, &buffer, buffer.count, &found) == 0, found != nil,
            String(cString: entry.gr_name) == name
        else { return false }
        var member = entry.gr_mem
        while let text = member?.pointee {
            if String(cString: text) != name { return false }
            member = member?.successor()
        }
        return true
    }
}
