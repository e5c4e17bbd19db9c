import CLinux
import Glibc
import RelayLink

/// A folder that only the gate's user can enter, for one kernel's connection file and sockets.
///
/// A container with a read-only root still has a writable /dev/shm as a rule; that it is mounted noexec does
/// not matter here.
package struct PrivateFolder: Sendable {
    package let path: String

    /// The socket that leads to the ssh agent.
    package static let agent = "agent"

    /// The longest name of a socket that is put into it.
    private static let longest = agent

    /// Makes one in the first place that can hold a file and a socket.
    package init(_ environment: Environment) throws(GateError) {
        var reasons: [String] = []
        for place in Self.places(environment) {
            switch Self.make(in: place) {
            case .made(let path):
                self.path = path
                return
            case .refused(let reason): reasons.append("\(printable(place)): \(reason)")
            }
        }
        throw GateError(.noPrivateFolder, reasons.joined(separator: "; "))
    }

    private static func places(_ environment: Environment) -> [String] {
        var places = ["/dev/shm", "/tmp", "/run", "/var/tmp"]
        if let runtime = environment.values["XDG_RUNTIME_DIR"], runtime.hasPrefix("/") {
            places.insert(runtime, at: 0)
        }
        for name in ["TMPDIR", "HOME"] {
            if let place = environment.values[name], place.hasPrefix("/") { places.append(place) }
        }
        if let folder = getcwd(nil, 0) {
            places.append(String(cString: folder))
            free(folder)
        }
        var seen: Set<String> = []
        return places.filter { seen.insert($0).inserted }
    }

    private enum Outcome {
        case made(String)
        case refused(String)
    }

    private static func make(in place: String) -> Outcome {
        let template = "\(place == "/" ? "" : place)/kr-XXXXXX"
        guard SocketName.fits(path: "\(template)/\(longest)") else {
            return .refused("its name is too long for a socket in it")
        }
        var name = Array(template.utf8CString)
        // mkdtemp makes it with mode 0700 whatever the umask says.
        guard mkdtemp(&name) != nil else { return .refused(errorText(errno)) }
        let path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if let reason = trySocket("\(path)/\(longest)") {
            rmdir(path)
            return .refused(reason)
        }
        return .made(path)
    }

    /// Some mounts of a host's folders take files and no sockets.
    private static func trySocket(_ path: String) -> String? {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errorText(errno) }
        defer {
            close(descriptor)
            unlink(path)
        }
        return SocketName(path: path).use { bind(descriptor, $0, $1) } == 0 ? nil : errorText(errno)
    }

    /// Writes a file whole, readable by its owner alone.
    package func write(_ bytes: [UInt8], as name: String) throws(GateError) -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("create \(file)") }
        defer { close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count
        else { throw .system("write \(file)") }
        return file
    }

    /// Whether somebody has a lock on it. A relay that connects to the kernel's own sockets has one for as long as it lives.
    package var isHeld: Bool {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }

    /// Removes it with all that is in it: a kernel may use it as its folder for temporary files, too.
    package func remove() { Self.remove(path, depth: 0) }

    private static func remove(_ path: String, depth: Int) {
        guard depth < 32 else { return }
        // Never through a link: only names inside the folder are removed.
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0, let folder = fdopendir(descriptor) else { return }
        while let item = readdir(folder) {
            let name = withUnsafeBytes(of: &item.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if unlink("\(path)/\(name)") != 0, errno == EISDIR || errno == EPERM {
                remove("\(path)/\(name)", depth: depth + 1)
            }
        }
        closedir(folder)
        rmdir(path)
    }
}
