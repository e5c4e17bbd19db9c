import Glibc

/// A file that is open, read to its end where that comes in time. A size that was looked up is only a first look: the
/// file may still grow while it is read.
enum BoundedRead {
    enum Failure: Error {
        case failed(Int32)
        case tooLarge
    }

    static func all(_ descriptor: Int32, limit: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw .failed(errno)
            }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw .tooLarge }
        }
    }
}
