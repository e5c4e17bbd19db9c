import Glibc

/// Whether relayd takes new kernels: a file in its folder, so that the next relayd knows it, too, and none has to run to be
/// told.
package struct DrainMark: Sendable {
    package let path: String

    package init(folder: String) { path = "\(folder)/draining" }

    package var isSet: Bool { access(path, F_OK) == 0 }

    package func set() throws(HostError) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("\(path)") }
        close(descriptor)
    }

    package func clear() throws(HostError) {
        if unlink(path) != 0, errno != ENOENT { throw .system("\(path)") }
    }
}
