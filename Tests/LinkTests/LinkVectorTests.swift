import Ground
import RelayLink
import Testing

/// `protocol/vectors/link.json`, made from the contract by another hand.
@Suite struct LinkVectorTests {
    struct File: Decodable {
        let frames: [FrameVector]
        let streams: [StreamVector]
        let texts: [TextVector]
        let messages: [MessageVector]
    }
    struct FrameVector: Decodable, CustomTestStringConvertible {
        struct Piece: Decodable {
            let stream: UInt32
            let payload: String
        }
        let name: String
        let bytes: String
        let frames: [Piece]
        let tooLong: UInt32?
        let insideFrame: Bool
        var testDescription: String { name }
    }
    struct StreamVector: Decodable, CustomTestStringConvertible {
        let name: String
        let payload: String
        let kind: String?
        let rest: String?
        let purpose: String?
        let total: Int64?
        var testDescription: String { name }
    }
    struct TextVector: Decodable, Sendable {
        let text: String
        let accept: Bool
    }
    struct MessageVector: Decodable, CustomTestStringConvertible {
        enum Direction: String, Decodable { case request, report }
        let name: String
        let direction: Direction
        let json: String
        let canonical: String?
        let code: String?
        var testDescription: String { name }
    }

    static let file: File? = {
        do {
            return try Repository.decode("protocol/vectors/link.json") as File
        } catch {
            Issue.record("the vectors cannot be read: \(error)")
            return nil
        }
    }()
    static var frames: [FrameVector] { file?.frames ?? [] }
    static var streams: [StreamVector] { file?.streams ?? [] }
    static var texts: [TextVector] { file?.texts ?? [] }
    static var messages: [MessageVector] { file?.messages ?? [] }

    @Test func thereAreVectors() {
        #expect(Self.frames.count >= 12)
        #expect(Self.streams.count >= 20)
        #expect(Self.texts.count >= 40)
        #expect(Self.messages.count >= 60)
    }

    @Test(arguments: frames, [1, 3, 1 << 20])
    func framesAreCutAsTheyShould(_ vector: FrameVector, pieceLength: Int) {
        var decoder = FrameDecoder()
        var found: [Frame] = []
        var tooLong: UInt32?
        let bytes = unhex(vector.bytes)
        for start in stride(from: 0, to: bytes.count, by: pieceLength) where tooLong == nil {
            decoder.feed(bytes[start..<min(start + pieceLength, bytes.count)])
            do {
                while let frame = try decoder.next() { found.append(frame) }
            } catch {
                tooLong = error.length
            }
        }
        #expect(found == vector.frames.map { Frame(stream: $0.stream, payload: unhex($0.payload)) })
        #expect(tooLong == vector.tooLong)
    }

    @Test(arguments: frames.filter { $0.tooLong == nil && !$0.insideFrame })
    func framesAreWrittenAsTheyAreRead(_ vector: FrameVector) {
        let bytes = vector.frames.compactMap {
            Frame(stream: $0.stream, payload: unhex($0.payload)).encoded
        }
        #expect(Array(bytes.joined()) == unhex(vector.bytes))
    }

    @Test func aFrameBeyondTheLimitIsNotWritten() {
        #expect(Frame(payload: [UInt8](repeating: 0, count: 1 << 20)).encoded?.count == 8 + 1 << 20)
        #expect(Frame(payload: [UInt8](repeating: 0, count: 1 + 1 << 20)).encoded == nil)
    }

    @Test(arguments: streams)
    func streamsSayWhatTheyMay(_ vector: StreamVector) {
        let payload = unhex(vector.payload)
        let said = StreamFrame(payload)
        let wanted: StreamFrame? =
            switch vector.kind {
            case "bytes": .bytes(unhex(vector.rest ?? "")[...])
            case "open": .open(StreamPurpose(vector.purpose ?? "")!)
            case "taken": .taken(vector.total ?? -1)
            case "shut": .shut
            case "reset": .reset
            default: nil
            }
        #expect(said == wanted)
        guard let said else { return }
        var bytes: [UInt8] = []
        said.rest.withUnsafeBytes { Frame.append(7, said.kind, $0, to: &bytes) }
        #expect(bytes == Frame(stream: 7, payload: payload).encoded)
    }

    @Test(arguments: texts)
    func jsonIsReadStrictly(_ vector: TextVector) {
        let value = try? JSON(parsing: unhex(vector.text))
        #expect((value != nil) == vector.accept)
        // What can be read can be written and read again.
        if let value { #expect(try! JSON(parsing: value.encoded) == value) }
    }

    @Test(arguments: messages)
    func messagesAreUnderstoodOrRefused(_ vector: MessageVector) throws {
        let json = Array(vector.json.utf8)
        do {
            let again =
                switch vector.direction {
                case .request: try GateRequest(json: json).json
                case .report: try GateReport(json: json).json
                }
            #expect(String(decoding: again, as: UTF8.self) == vector.canonical)
        } catch {
            #expect(error.code.rawValue == vector.code)
            #expect(!error.message.isEmpty && !error.remedy.isEmpty)
            #expect(!"\(error)".contains("0123456789abcdef"), "a token is never quoted")
        }
    }
}
