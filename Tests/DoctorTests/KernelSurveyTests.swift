import KernelRelay
import RelayLink
import Testing

/// What is made of what a container says of its kernels. Its word is a stranger's.
@Suite struct KernelSurveyTests {
    private func spec(_ text: String, _ name: String = "x") -> ContainerSpec? {
        ContainerSpec(Array(text.utf8), name: name, folder: "/usr/share/jupyter/kernels/\(name)")
    }

    @Test func aKernelspecInAContainer() throws {
        let found = try #require(
            spec(
                #"""
                {"argv": ["/usr/bin/xpython", "-f", "{connection_file}", "{resource_dir}/x"], "language": "python",
                 "display_name": "Python 3.11 (XPython)", "interrupt_mode": "message", "env": {"A": "b c"}}
                """#, "xpython"))
        #expect(
            FoundKernel.other(found).words(in: "dev") == [
                "--container=dev",
                #"--cmd=["/usr/bin/xpython","-f","{connection_file}","/usr/share/jupyter/kernels/xpython/x"]"#,
                "--display-name=Python 3.11 (XPython) (dev)", "--language=python", "--interrupt-mode=message",
                "--env=A=b c",
            ])
        var request = try AddRequest(FoundKernel.other(found).words(in: "dev"))
        #expect(try request.spec(program: "/s").displayName == "Python 3.11 (XPython) (dev)")
        #expect(request.name == "python-3.11-xpython-dev")
    }

    @Test(arguments: [
        "", "[]", "{}", #"{"argv": []}"#, #"{"argv": [""]}"#, #"{"argv": ["a", 1]}"#, #"{"argv": "a"}"#,
        #"{"argv": ["a\u0000"]}"#, #"{"argv": ["a"], "argv": ["b"]}"#,
        #"{"argv": ["a"], "env": {"A=B": "x"}}"#,
        #"{"argv": ["a"], "env": {"A": 1}}"#,
    ])
    func whatIsOfNoUse(text: String) {
        #expect(spec(text) == nil)
    }

    @Test func noTextOfItsMovesACursor() throws {
        let found = try #require(
            spec(#"{"argv": ["a"], "display_name": "\u001b[2Jx", "language": "\u0007"}"#))
        for word in FoundKernel.other(found).words(in: "dev") {
            #expect(!word.unicodeScalars.contains { $0.value < 32 })
        }
    }

    @Test func howOthersAreStarted() throws {
        #expect(FoundKernel.python("python3").words(in: "dev") == ["--container=dev"])
        for found in [FoundKernel.python("python"), .r] {
            var request = try AddRequest(found.words(in: "dev"))
            #expect(try request.spec(program: "/s").values("--cmd").count == 1)
        }
        var request = try AddRequest(FoundKernel.r.words(in: "dev"))
        #expect(try request.spec(program: "/s").displayName == "R (dev)")
    }

    // MARK: - What cp brings out

    private func header(_ name: String, size: String, kind: Character = "0") -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, _ offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        put(name, 0)
        put(size, 124)
        put(String(kind), 156)
        put("ustar", 257)
        return header
    }

    private func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }

    @Test func regularFilesOfAnArchive() {
        let text = Array("hello".utf8)
        let long = [UInt8](repeating: 7, count: 513)
        let archive =
            header("kernels/", size: "00000000000", kind: "5")
            + header("kernels/a/kernel.json", size: "00000000005")
            + padded(text) + header("kernels/link", size: "00000000000", kind: "2")
            + header("kernels/b", size: "     1001 ") + padded(long) + [UInt8](repeating: 0, count: 1024)
        let files = TarFiles.read(archive)
        #expect(files.map(\.name) == ["kernels/a/kernel.json", "kernels/b"])
        #expect(files.map(\.bytes) == [text, long])
    }

    @Test func aBrokenArchiveEnds() {
        for size in ["77777777777", "9", "-1", "x", "777777777777"] {
            #expect(TarFiles.read(header("a", size: size) + [1, 2, 3]).isEmpty)
        }
        #expect(TarFiles.read([1, 2, 3]).isEmpty)
        let whole = header("a", size: "00000000001") + padded([1])
        for length in 0..<513 { #expect(TarFiles.read(Array(whole[..<length])).isEmpty) }
        // Cut within the padding, and with noise behind.
        #expect(TarFiles.read(Array(whole[..<513])).count == 1)
        #expect(TarFiles.read(whole + [UInt8](repeating: 0xFF, count: 5000)).count == 1)
    }
}
