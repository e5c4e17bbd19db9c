/// Gives a debugging front end the host's paths for files that the container only shows, and the kernel its own.
///
/// The debugger in the container knows a module by its path in there, and an editor on the host by the one out here: a
/// breakpoint that one sets the other never hits. So paths are changed on their way, in the places where the Debug
/// Adapter Protocol and Jupyter's additions to it have them and nowhere else. The kernel and its debugger hear of
/// nothing but their own paths, so that this needs nothing of them.
///
/// The files that a kernel writes for cells stay what they are, also where a mount shows them: cells are known by
/// those names on both sides.
package final class DebugPaths: Sendable {
    package enum Kind: Sendable {
        case request, reply, event
    }

    private let folders: FolderMap

    /// Nothing where no folder of the host is shown. The whole of the host, somewhere inside, is left out: every path of
    /// the container's would be one of the host's, too.
    package init?(_ folders: FolderMap) {
        var folders = folders
        folders.pairs.removeAll { $0.outside == "/" }
        guard !folders.pairs.isEmpty else { return nil }
        self.folders = folders
    }

    private static let element = JSONStrings.element
    private static let requests = [["arguments", "source", "path"]]
    private static let replies = [
        ["body", "stackFrames", element, "source", "path"], ["body", "scopes", element, "source", "path"],
        ["body", "breakpoints", element, "source", "path"], ["body", "sources", element, "path"],
        // Of exceptionInfo.
        ["body", "details", "source"],
        // Jupyter's own: debugInfo and modules.
        ["body", "breakpoints", element, "source"], ["body", "modules", element, "path"],
    ]
    private static let events = [
        ["body", "source", "path"], ["body", "breakpoint", "source", "path"], ["body", "module", "path"],
    ]

    /// The content with the paths of the other side; nothing where it stays as it is.
    package func rewritten(_ content: UnsafeRawBufferPointer, _ kind: Kind) -> [UInt8]? {
        guard content.count <= Tuning.largestDebugContent else { return nil }
        let folders = folders
        switch kind {
        case .request:
            return JSONStrings.replacing(in: content, at: Self.requests) {
                Self.isCell($0) ? nil : folders.inside($0)
            }
        case .reply, .event:
            return JSONStrings.replacing(in: content, at: kind == .reply ? Self.replies : Self.events) {
                Self.isCell($0) ? nil : folders.outside($0)
            }
        }
    }

    /// ipykernel and xeus-python have a folder for them, which they name after themselves and their pid.
    private static func isCell(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard parts.count > 1 else { return false }
        let folder = parts[parts.count - 2].split(separator: "_", maxSplits: 1)
        return folder.count == 2 && ["ipykernel", "xpython"].contains(folder[0]) && UInt32(folder[1]) != nil
    }
}

extension DebugPaths {
    /// The content that a verified message is to have instead. What is no debugger's is told from the rest unparsed.
    func content(of frames: borrowing Frames, _ layout: Layout, on channel: Channel, _ direction: Direction)
        -> [UInt8]?
    {
        switch (channel, direction) {
        case (.control, .toKernel):
            frames.mentions("\"debug_request\"", layout)
                ? rewrite(frames, layout, "debug_request", .request) : nil
        case (.control, .toClient):
            frames.mentions("\"debug_reply\"", layout) ? rewrite(frames, layout, "debug_reply", .reply) : nil
        case (.iopub, .toClient):
            frames.mentions("\"debug_event\"", layout) ? rewrite(frames, layout, "debug_event", .event) : nil
        default: nil
        }
    }

    /// The word may stand anywhere in the header: only the type counts.
    private func rewrite(_ frames: borrowing Frames, _ layout: Layout, _ type: String, _ kind: Kind)
        -> [UInt8]?
    {
        guard MessageHeader(frames.view(layout.header))?.type == type else { return nil }
        return rewritten(frames.view(layout.content), kind)
    }
}
