import CLinux

/// The cells that a kernel was given and has not answered, so that somebody can when it is gone.
///
/// On the hot path: a request is copied, an id is looked for in a reply's parent, and nothing is parsed.
///
/// Concurrency: confined to the relay's thread.
struct OpenCells {
    private struct Entry {
        let id: UInt64
        let identities: [[UInt8]]
        let header: [UInt8]
        let content: [UInt8]
        var bytes: Int { header.count + content.count }
    }

    private var entries: [Entry] = []
    private var bytes = 0
    /// The header of the last cell that the kernel was given, answered or not.
    private(set) var latest: [UInt8]?

    var isEmpty: Bool { entries.isEmpty }

    /// The kernel is given a cell. One too many is not remembered, and stays without an answer if the kernel dies.
    mutating func add(_ frames: borrowing Frames, _ layout: Layout) {
        guard entries.count < Tuning.mostOpenCells, let identities = frames.identities(layout),
            let id = MessageID.find(in: frames.view(layout.header))
        else { return }
        // Only its flags matter, and they have usual values.
        let content = frames.view(layout.content)
        let fits = bytes + content.count <= Tuning.openCellBytes
        let entry = Entry(
            id: id, identities: identities, header: Array(frames.view(layout.header)),
            content: fits ? Array(content) : [])
        bytes += entry.bytes
        latest = entry.header
        entries.append(entry)
    }

    /// The kernel answers: `parent` is the header of the request. Answers come in the order of the cells mostly.
    mutating func settle(_ parent: UnsafeRawBufferPointer) {
        guard let id = MessageID.find(in: parent), let index = entries.firstIndex(where: { $0.id == id })
        else { return }
        bytes -= entries.remove(at: index).bytes
    }

    /// The one that runs: kernels take them in order.
    var first: (identities: [[UInt8]], header: [UInt8])? {
        entries.first.map { ($0.identities, $0.header) }
    }

    /// Those that nobody will answer any more.
    mutating func takeAll() -> [Cell] {
        defer { self = OpenCells() }
        return entries.map { Cell(identities: $0.identities, header: $0.header, content: $0.content) }
    }
}

extension Frames {
    /// Whom an answer goes to; nothing where that is more than a client's can be.
    func identities(_ layout: Layout) -> [[UInt8]]? {
        guard layout.delimiter <= Tuning.mostIdentities else { return nil }
        var identities: [[UInt8]] = []
        var sum = 0
        for index in 0..<layout.delimiter {
            sum += size(index)
            guard sum <= Tuning.longestIdentities else { return nil }
            identities.append(Array(view(index)))
        }
        return identities
    }

    /// Whether a word stands in the header. It is for those whose meaning is looked at then: it may stand anywhere.
    @inline(__always)
    func mentions(_ word: StaticString, _ layout: Layout) -> Bool {
        let size = size(layout.header)
        return size <= Tuning.largestHeader
            && memmem(bytes(layout.header), size, word.utf8Start, word.utf8CodeUnitCount) != nil
    }
}
