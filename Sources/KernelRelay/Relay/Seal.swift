import Glibc

/// Checks one message under one key and signs it under another, in one pass over its bytes and in pieces.
///
/// In pieces, so that the hash of a 200 MB message does not hold an interrupt up; in one pass, so that the
/// second hash finds the bytes in the processor's cache.
package struct Seal: ~Copyable {
    private let verifier: Signer
    private let signer: Signer
    /// Both sides sign alike: the signature that was verified is the one to send.
    private let isSigned: Bool
    private let hex: UnsafeMutablePointer<UInt8>

    /// Where the parts of the message lie that was begun last.
    private(set) var layout = Layout(delimiter: 0)
    private var part = 0
    private var offset = 0
    /// Whether a message is begun and not finished.
    package private(set) var isBusy = false

    package enum Verdict {
        /// The message bears the new signature.
        case sealed
        case refused(Rejection)
        /// The allowance is used up; call again.
        case unfinished
    }

    /// How one side signs.
    package typealias Side = (scheme: SignatureScheme, key: SigningKey)

    package init(from one: Side, to other: Side) throws(RelayError) {
        let verifier = try Signer(scheme: one.scheme, key: one.key)
        let signer = try Signer(scheme: other.scheme, key: other.key)
        self.verifier = verifier
        self.signer = signer
        isSigned = one.key == other.key && one.scheme == other.scheme && !one.key.isEmpty
        hex = .allocate(capacity: Signer.longest)
    }

    /// For lanes that carry nothing signed.
    package init() {
        verifier = Signer()
        signer = Signer()
        isSigned = false
        hex = .allocate(capacity: 1)
    }

    deinit { hex.deallocate() }

    /// Starts with the message in `frames`. Nothing of it is interpreted but where its parts lie.
    @inline(__always)
    package mutating func begin(_ frames: borrowing Frames, routed: Bool) -> Rejection? {
        let mark = Layout.mark
        let finding = Layout.find(frames: frames.count, routed: routed) { index in
            frames.size(index) == mark.utf8CodeUnitCount
                && memcmp(frames.bytes(index), mark.utf8Start, mark.utf8CodeUnitCount) == 0
        }
        switch finding {
        case .refused(let reason): return reason
        case .message(let found):
            if verifier.signs {
                let size = frames.size(found.signature)
                if size == 0 { return .missingSignature }
                if size != verifier.length { return .badSignature }
            }
            layout = found
            part = found.signed.lowerBound
            offset = 0
            isBusy = true
            verifier.begin()
            if !isSigned { signer.begin() }
            return nil
        }
    }

    /// Goes on until the message is done or `allowance` bytes are hashed.
    @inline(__always)
    package mutating func advance(_ frames: inout Frames, allowance: inout Int) -> Verdict {
        if verifier.signs || signer.signs {
            while part < layout.signed.upperBound {
                let size = frames.size(part)
                let piece = min(size - offset, Tuning.hashPiece)
                if piece > 0 {
                    if allowance <= 0 { return .unfinished }
                    let bytes = UnsafeRawPointer(frames.bytes(part)) + offset
                    verifier.update(bytes, piece)
                    if !isSigned { signer.update(bytes, piece) }
                    allowance -= piece
                    offset += piece
                }
                if offset == size {
                    part += 1
                    offset = 0
                }
            }
        }
        isBusy = false
        if verifier.signs {
            guard verifier.finish(into: hex),
                equalInConstantTime(hex, frames.bytes(layout.signature), verifier.length)
            else {
                return .refused(.badSignature)
            }
        }
        if isSigned { return .sealed }
        guard signer.finish(into: hex), frames.replace(layout.signature, by: hex, signer.length) else {
            return .refused(.badSignature)
        }
        return .sealed
    }

    /// Gives a message that was sealed another content, and the signature for that. False when there is no memory.
    package mutating func change(_ frames: inout Frames, content: [UInt8]) -> Bool {
        guard frames.replace(layout.content, by: content, content.count) else { return false }
        guard signer.signs else { return true }
        signer.begin()
        for part in layout.signed { signer.update(UnsafeRawPointer(frames.bytes(part)), frames.size(part)) }
        return signer.finish(into: hex) && frames.replace(layout.signature, by: hex, signer.length)
    }

    package mutating func abandon() { isBusy = false }
}
