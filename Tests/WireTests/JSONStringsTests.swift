import KernelRelay
import Testing

/// Single strings in somebody else's JSON.
@Suite struct JSONStringsTests {
    private static let places = [
        ["a", "path"], ["list", JSONStrings.element, "path"], ["list", JSONStrings.element],
    ]

    private func changed(_ text: String) -> String? {
        let bytes = Array(text.utf8).withUnsafeBytes { bytes in
            JSONStrings.replacing(in: bytes, at: Self.places) {
                $0.hasPrefix("/x") ? "/y" + $0.dropFirst(2) : nil
            }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        (#"{"a": {"path": "/x/1"}}"#, #"{"a": {"path": "/y/1"}}"#),
        // Everything else as it came: spaces, the order, numbers beyond any type, doubled names.
        (
            #"{ "n":1.50e400, "a" : {"path":"/x", "path":"/x2"},"z":12345678901234567890123 }"#,
            #"{ "n":1.50e400, "a" : {"path":"/y", "path":"/y2"},"z":12345678901234567890123 }"#
        ),
        (
            #"{"list": [{"path": "/x/1"}, {"path": "/z"}, "/x", ["/x"], {"q": {"path": "/x"}}]}"#,
            #"{"list": [{"path": "/y/1"}, {"path": "/z"}, "/y", ["/x"], {"q": {"path": "/x"}}]}"#
        ),
        // Escapes are read, and written where they must be.
        (#"{"a": {"path": "\/x\u002f\"ü\n"}}"#, #"{"a": {"path": "/y/\"ü\u000a"}}"#),
        // Strings that look like the rest of the text.
        (
            #"{"b": "}{\"a\": {\"path\": \"/x\"", "a": {"o": "[{,:", "path": "/x"}}"#,
            #"{"b": "}{\"a\": {\"path\": \"/x\"", "a": {"o": "[{,:", "path": "/y"}}"#
        ),
    ])
    func areReplacedAndNothingElseIs(text: String, expected: String) {
        #expect(changed(text) == expected)
    }

    @Test(arguments: [
        "", "{}", "[]", "null", #""/x""#, #"{"path": "/x"}"#, #"{"a": "/x"}"#, #"{"a": ["path", "/x"]}"#,
        #"{"a": {"path": 1, "Path": "/x", "b": {"path": "/x"}}}"#, #"{"A": {"path": "/x"}}"#,
        #"{"a": {"path": "/z"}}"#, #"[{"a": {"path": "/x"}}]"#,
        // Not JSON.
        #"{"a": {"path": "/x"#, #"{"a": {"path": "/x\"#, #"]]}},,::"/x""#, #"{"a": {"path": "/x\q"}}"#,
        #"{"a": {"path": "/x\ud800"}}"#,
    ])
    func stayWhatTheyAre(text: String) {
        #expect(changed(text) == nil)
    }

    /// It has no stack of its own to run out of.
    @Test func depthIsNoMatter() {
        let deep = 200_000
        let text =
            String(repeating: "[", count: deep) + #"{"a": {"path": "/x"}}"#
            + String(repeating: "]", count: deep)
        #expect(changed(text) == nil)
        #expect(
            changed(#"{"q": \#(text), "a": {"path": "/x"}}"#)?.hasSuffix(#""a": {"path": "/y"}}"#) == true)
    }
}
