import Host
import Testing

/// A command in its three spellings, and what is none.
@Suite struct CommandWordsTests {
    static let good: [(String, [String])] = [
        // JSON
        (#"["python","-m","x"]"#, ["python", "-m", "x"]),
        (#"  [ "a" , "" , "b c" ]  "#, ["a", "", "b c"]),
        (#"["a","\u00e9\n\/","{connection_file}"]"#, ["a", "\u{e9}\n/", "{connection_file}"]),
        (#"["a","it's"]"#, ["a", "it's"]),
        // Python
        (#"['python', "it's", '-m']"#, ["python", "it's", "-m"]),
        (#"['a', r'..\n', R"\d", u'b', '']"#, ["a", #"..\n"#, #"\d"#, "b", ""]),
        (#"['a', r'\'']"#, ["a", #"\'"#]),
        (
            #"['\x41\101\u00e9\U0001F600\a\b\f\n\r\t\v\\\'\"']"#,
            ["AA\u{e9}\u{1F600}\u{7}\u{8}\u{C}\n\r\t\u{B}\\'\""]
        ),
        (#"['\d\/']"#, [#"\d\/"#]),
        (#"['\1018', '\7']"#, ["A8", "\u{7}"]),
        ("['a' 'b'\n\"c\", 'd',]", ["abc", "d"]),
        ("['a\\\nb']", ["ab"]),
        (#"["a", 'b']"#, ["a", "b"]),
        // shell
        ("python -m x", ["python", "-m", "x"]),
        ("  a\t b\n c ", ["a", "b", "c"]),
        (#"a 'b c' "d e" f\ g"#, ["a", "b c", "d e", "f g"]),
        (#"a "" '' b"#, ["a", "", "", "b"]),
        (#"a"b"'c'd"#, ["abcd"]),
        (#"a "\$x \"q\" \\ \n \`" '\n'"#, ["a", #"$x "q" \ \n `"#, #"\n"#]),
        ("a \\\n b\\\nc \"d\\\ne\"", ["a", "bc", "de"]),
        (
            "echo $HOME `id` $(id) *.py ~ a|b && c ; d > e # f",
            [
                "echo", "$HOME", "`id`", "$(id)", "*.py", "~", "a|b", "&&", "c", ";", "d", ">", "e", "#", "f",
            ]
        ),
        ("python -f {connection_file}", ["python", "-f", "{connection_file}"]),
        ("\u{e9}\u{301} \u{1F468}\u{200D}\u{1F469}", ["\u{e9}\u{301}", "\u{1F468}\u{200D}\u{1F469}"]),
        ("a ['x']", ["a", "[x]"]),
        // A quote with a combining accent behind it is still a quote.
        ("a '\u{301}b'", ["a", "\u{301}b"]),
    ]

    @Test(arguments: good)
    func isRead(text: String, words: [String]) throws {
        let read = try CommandWords.read(text)
        // By bytes: Swift takes different spellings of one character for the same.
        #expect(read.map { Array($0.utf8) } == words.map { Array($0.utf8) })
    }

    static let bad = [
        "", " ", "\n", "''", "\"\" a", "[]", "[ ]", "[\"\"]", "['', 'a']", "a 'b", "a \"b", "a \"b\\", "a\\",
        "[", "['a'", "['a',", "['a", "[\"a", "['a'] b", "[\"a\"] b", "['a' 'b", "[a]", "[1]", "[\"a\", 1]",
        "['a', None]",
        "['a', ['b']]", "[\"a\", [\"b\"]]", "['a',,'b']", "[,]", "['''a''']", "[\"\"\"a\"\"\"]", "[b'a']",
        "[f'a']",
        "['\\x4']", "['\\u12']", "['\\U00110000']", "['\\UFFFFFFFF']", "['\\ud800']", "['\\N{DASH}']",
        "['\\0']",
        "[\"a\\u0000\"]", "a\u{0}b", "['a\nb']", "['a\\", "['a' + 'b']", "[r'\\']", "['a']]",
        "['\\x\u{ff11}1']",
        "[\"a\", \"\\ud800\"]",
    ]

    @Test(arguments: bad)
    func isRefused(text: String) {
        let error = #expect(throws: HostError.self) { try CommandWords.read(text) }
        #expect(error?.code == .usage)
    }

    @Test func theCommandIsNeverQuotedInAnError() {
        for text in ["s3cr3t 'x", "['s3cr3t', 1]", "[\"s3cr3t\", 1]", "['s3cr3t' x]"] {
            let error = #expect(throws: HostError.self) { try CommandWords.read(text) }
            #expect(error?.description.contains("s3cr3t") == false)
        }
    }

    @Test func longOnesTakeNoLongTime() throws {
        let many = String(repeating: "a ", count: 100_000)
        #expect(try CommandWords.read(many).count == 100_000)
        let long = String(repeating: "x", count: 1_000_000)
        #expect(try CommandWords.read("a '\(long)'")[1].utf8.count == 1_000_000)
        #expect(try CommandWords.read("['a', '\(long)']")[1].utf8.count == 1_000_000)
        #expect(throws: HostError.self) { try CommandWords.read(String(repeating: "[", count: 100_000)) }
    }
}
