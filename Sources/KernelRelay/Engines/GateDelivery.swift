import Glibc
import RelayLink

/// Brings the gate into a container that lacks it: `cp` with a tar archive of one file, made here.
///
/// So the file gets its mode and its name in the container whatever they are on the host, and no client has to be
/// able to see the host's file: a client in a sandbox or behind ssh cannot.
struct GateDelivery: Sendable {
    let engine: Engine
    let binary: GateBinary

    /// Those that are under way.
    ///
    /// Concurrency: an actor. Whoever wants the same program in the same container waits for the one delivery: a second
    /// would put a file that is being written in place of the first one's, which may be running by then.
    private actor Deliveries {
        typealias Delivery = Task<Result<Void, RelayError>, Never>
        static let all = Deliveries()
        private var underWay: [String: Delivery] = [:]

        func join(_ place: String, _ deliver: @escaping @Sendable () async throws(RelayError) -> Void)
            -> Delivery
        {
            if let other = underWay[place] { return other }
            // Not with the task of the first who came.
            let delivery = Delivery {
                let result: Result<Void, RelayError>
                do throws(RelayError) { result = .success(try await deliver()) } catch {
                    result = .failure(error)
                }
                underWay[place] = nil
                return result
            }
            underWay[place] = delivery
            return delivery
        }
    }

    func deliver(to container: Container) async throws(RelayError) {
        let place = "\(container.id)/\(GatePath.copyName(binary))"
        try await Deliveries.all.join(place) { () async throws(RelayError) in try await copy(to: container) }
            .value.get()
    }

    private func copy(to container: Container) async throws(RelayError) {
        let (ours, theirs) = try Pipe.pair()
        let binary = binary
        let descriptor = ours
        do throws(RelayError) {
            // Ends when the client has closed its end, and so at the latest when the client is killed.
            try Thread(name: "kr-copy") { Self.send(binary, into: descriptor) }.detach()
        } catch {
            close(ours)
            close(theirs)
            throw error
        }
        let copy = engine.command(["cp", "-", "\(container.id):/"])
        let outcome = try await copy.run(within: Tuning.engineCopies, input: theirs)
        if outcome.succeeded { return }
        let now = try await engine.container(container.id)
        if now.isRootReadOnly {
            throw RelayError(.gateReadOnly, now.name, cause: outcome.reason)
        }
        throw RelayError(.gateCopy, now.name, cause: outcome.reason)
    }

    private static func send(_ binary: GateBinary, into socket: Int32) {
        defer { close(socket) }
        let file = open(binary.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        var facts = stat()
        guard fstat(file, &facts) == 0 else { return }
        let size = Int(facts.st_size)
        guard put(TarHeader.file(GatePath.copyName(binary), size: size), socket) else { return }
        var left = size
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        while left > 0 {
            let count = read(file, &chunk, min(chunk.count, left))
            if count < 0, errno == EINTR { continue }
            guard count > 0, put(chunk[..<count], socket) else { return }
            left -= count
        }
        // To a whole block, and two empty ones for the archive's end.
        _ = put([UInt8](repeating: 0, count: (512 - size % 512) % 512 + 1024), socket)
        shutdown(socket, Int32(SHUT_WR))
    }

    static func put(_ bytes: some Collection<UInt8>, _ socket: Int32) -> Bool {
        let bytes = Array(bytes)
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress! + start, bytes.count - start, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { return false }
            start += count
        }
        return true
    }
}

/// One header of a POSIX tar archive.
enum TarHeader {
    /// A program of root's that everybody may run.
    static func file(_ name: String, size: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int, digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        put(name, at: 0)
        put(octal(0o755, digits: 7), at: 100)
        put(octal(0, digits: 7), at: 108)
        put(octal(0, digits: 7), at: 116)
        put(octal(size, digits: 11), at: 124)
        put(octal(0, digits: 11), at: 136)
        // The sum counts its own field as blanks.
        put("        0", at: 148)
        put("ustar", at: 257)
        put("00", at: 263)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + "\0 ", at: 148)
        return header
    }
}
