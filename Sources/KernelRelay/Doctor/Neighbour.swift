import CLinux
import Glibc

/// Whether an address is on a network of this host's: something there answers, if only that nobody listens.
enum Neighbour {
    static func answers(_ address: String, _ port: UInt16) -> Bool {
        address.contains(":") ? answersIPv6(address, port) : answersIPv4(address, port)
    }

    private static func answersIPv4(_ address: String, _ port: UInt16) -> Bool {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        guard inet_pton(AF_INET, address, &name.sin_addr) == 1 else { return false }
        return knock(AF_INET, &name, MemoryLayout<sockaddr_in>.size)
    }

    private static func answersIPv6(_ address: String, _ port: UInt16) -> Bool {
        var name = sockaddr_in6()
        name.sin6_family = sa_family_t(AF_INET6)
        name.sin6_port = port.bigEndian
        guard inet_pton(AF_INET6, address, &name.sin6_addr) == 1 else { return false }
        return knock(AF_INET6, &name, MemoryLayout<sockaddr_in6>.size)
    }

    private static func knock(_ family: Int32, _ name: UnsafeRawPointer, _ size: Int) -> Bool {
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(family, kind, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if connect(descriptor, name.assumingMemoryBound(to: sockaddr.self), socklen_t(size)) == 0 {
            return true
        }
        guard errno == EINPROGRESS else { return errno == ECONNREFUSED }
        var watched = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&watched, 1, Tuning.neighbourMilliseconds) > 0 else { return false }
        var failure: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length)
        return failure == 0 || failure == ECONNREFUSED
    }
}

/// Whether this user may look into a container from outside, as the route `line` must.
enum LineOfSight {
    static func isClear(into container: Container) -> Bool {
        guard container.pid > 0 else { return false }
        let descriptor = open("/proc/\(container.pid)/root", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        // Of an engine in a machine of its own the number means some process of this host's, whose root is ours.
        var theirs = stat()
        var ours = stat()
        guard fstat(descriptor, &theirs) == 0, stat("/", &ours) == 0 else { return false }
        return theirs.st_ino != ours.st_ino || theirs.st_dev != ours.st_dev
    }
}
