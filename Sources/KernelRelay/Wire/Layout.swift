/// Where the parts of a Jupyter message lie among its frames:
/// identities, `<IDS|MSG>`, signature, header, parent header, metadata, content, buffers.
package struct Layout: Equatable {
    /// The frame that says where the identities end.
    package let delimiter: Int

    package var signature: Int { delimiter + 1 }
    package var header: Int { delimiter + 2 }
    package var parentHeader: Int { delimiter + 3 }
    package var content: Int { delimiter + 5 }
    /// The four frames that the signature covers.
    package var signed: Range<Int> { delimiter + 2..<delimiter + 6 }

    package init(delimiter: Int) { self.delimiter = delimiter }

    /// `<IDS|MSG>`, the same for ever.
    package static let mark: StaticString = "<IDS|MSG>"

    package enum Finding: Equatable {
        case message(Layout)
        case refused(Rejection)
    }

    /// Finds the parts without reading any of them.
    ///
    /// - Parameter routed: the first frame must be an identity, because a ROUTER is to send by it.
    @inline(__always)
    package static func find(
        frames count: Int, routed: Bool, isMark: (Int) -> Bool
    ) -> Finding {
        var index = 0
        while index < count, !isMark(index) { index += 1 }
        if index == count { return .refused(.missingDelimiter) }
        if routed, index == 0 { return .refused(.missingIdentity) }
        if count < index + 6 { return .refused(.missingParts) }
        return .message(Layout(delimiter: index))
    }
}
