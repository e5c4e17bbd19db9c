import Foundation
import KernelRelay
import RelayLink
import Testing

/// kernel.json is written whole or not at all, and never over somebody else's.
@Suite struct SpecFolderTests {
    @Test func whatIsWrittenIsWhatJupyterReads() throws {
        let fixture = try SpecFixture()
        let folder = try SpecFolder.write(SpecFixture.spec, name: "dev", in: fixture.kernels, replace: false)
        #expect(
            fixture.names(in: folder) == ["kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"])
        let text = try Data(contentsOf: URL(filePath: "\(folder)/kernel.json"))
        #expect(
            try JSON(parsing: Array(text)) == [
                "argv": [
                    "/opt/relay-shim", "-f", "{connection_file}", "--container", "dev", "--user", "host",
                    "--",
                ],
                "display_name": "Python (dev)", "language": "python", "interrupt_mode": "signal", "env": [:],
                "metadata": [
                    "debugger": true, "supported_encryption": ["curve"],
                    "kernelrelay": ["version": 1, "name": "dev", "container": "dev"],
                ],
            ])
        for (name, size) in [("logo-32x32.png", 32), ("logo-64x64.png", 64)] {
            let png = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]) && png[19] == size && png[23] == size)
        }
        var facts = stat()
        #expect(stat(folder, &facts) == 0 && facts.st_mode & 0o777 == 0o755)
        #expect(
            fixture.names(in: "\(fixture.root)/share/jupyter") == ["kernels"], "no temporary folder is left")
        #expect(InstalledSpec.read(folder) == SpecFixture.spec)
    }

    /// A value may be a secret. Under a prefix the kernel is for others, too.
    @Test(arguments: [(true, true, 0o700, 0o600), (true, false, 0o755, 0o644), (false, true, 0o755, 0o644)])
    func whoMayReadValues(isOnesOwn: Bool, hasValues: Bool, ofFolder: mode_t, ofFile: mode_t) throws {
        let fixture = try SpecFixture()
        var spec = SpecFixture.spec
        if hasValues { spec.variables = ["TOKEN": "x"] }
        let folder = try SpecBatch.write(
            [.init(name: "dev", spec: spec)], in: fixture.kernels, replace: false, areOnesOwn: isOnesOwn)[0]
        var facts = stat()
        #expect(stat(folder, &facts) == 0 && facts.st_mode & 0o777 == ofFolder)
        #expect(stat("\(folder)/kernel.json", &facts) == 0 && facts.st_mode & 0o777 == ofFile)
    }

    @Test func onlyPythonHasADebugger() {
        var spec = SpecFixture.spec
        spec.language = "R"
        guard case .object(let fields) = spec.json(as: "r"), case .object(let metadata) = fields["metadata"]
        else {
            return #expect(Bool(false))
        }
        #expect(metadata["debugger"] == nil)
    }

    @Test func oneOfOursIsReplacedOnlyWhenThatIsSaid() throws {
        let fixture = try SpecFixture()
        let folder = try SpecFolder.write(SpecFixture.spec, name: "dev", in: fixture.kernels, replace: false)
        var other = SpecFixture.spec
        other.container = "box"
        #expect(
            code { _ = try SpecFolder.write(other, name: "dev", in: fixture.kernels, replace: false) }
                == .specExists)
        #expect(InstalledSpec.read(folder)?.container == "dev")
        _ = try SpecFolder.write(other, name: "dev", in: fixture.kernels, replace: true)
        #expect(InstalledSpec.read(folder)?.container == "box")
        #expect(fixture.names(in: fixture.kernels) == ["dev"])
        #expect(fixture.names(in: "\(fixture.root)/share/jupyter") == ["kernels"])
    }

    static let foreign = [
        #"{"argv":["python"],"display_name":"x","language":"python"}"#,
        #"{"argv":["python"],"metadata":{"kernelrelay":true}}"#,
        #"{"metadata":{"kernelrelay":{"name":"mine","container":"dev"}}}"#,
        #"{"argv":[],"metadata":{"kernelrelay":{"name":"mine","container":"dev"}}}"#,
        #"{"argv":[1],"metadata":{"kernelrelay":{"name":"mine","container":"dev"}}}"#,
        #"{"argv":["/s"],"metadata":{"kernelrelay":{"container":"dev"}}}"#, "[]", "", "{", "\u{0}",
    ]

    @Test(arguments: foreign)
    func anothersIsLeftAlone(text: String) throws {
        let fixture = try SpecFixture()
        try fixture.put(text, as: "mine")
        for replace in [true, false] {
            let refusal = code {
                _ = try SpecFolder.write(
                    SpecFixture.spec, name: "mine", in: fixture.kernels, replace: replace)
            }
            #expect(refusal == .specForeign)
        }
        #expect(code { _ = try InstalledSpec.named("mine", fixture.folders) } == .specForeign)
        #expect(InstalledSpec.all(fixture.folders) == [])
        let file = "\(fixture.kernels)/mine/kernel.json"
        #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
    }

    /// What began as a copy of ours has another name than ours was given.
    @Test func aCopyIsLeftAlone() throws {
        let fixture = try SpecFixture()
        let ours = try SpecFolder.write(SpecFixture.spec, name: "ours", in: fixture.kernels, replace: false)
        let copy = "\(fixture.kernels)/mine"
        try FileManager.default.copyItem(atPath: ours, toPath: copy)
        #expect(InstalledSpec.all(fixture.folders).map(\.name) == ["ours"])
        #expect(InstalledSpec.read(copy) == nil)
        #expect(code { _ = try InstalledSpec.named("mine", fixture.folders) } == .specForeign)
        #expect(
            code {
                _ = try SpecFolder.write(SpecFixture.spec, name: "mine", in: fixture.kernels, replace: true)
            } == .specForeign)
        let pretended = InstalledSpec(name: "mine", folder: copy, spec: SpecFixture.spec)
        #expect(code { try SpecFolder.remove(pretended) } == .specForeign)
        #expect(fixture.names(in: fixture.kernels) == ["mine", "ours"])
    }

    @Test func aLinkIsLeftAlone() throws {
        let (fixture, linked) = (try SpecFixture(), try SpecFixture())
        let folder = try SpecFolder.write(SpecFixture.spec, name: "dev", in: fixture.kernels, replace: false)
        try FileManager.default.createDirectory(atPath: linked.kernels, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: "\(linked.kernels)/dev", withDestinationPath: folder)
        #expect(
            code {
                _ = try SpecFolder.write(SpecFixture.spec, name: "dev", in: linked.kernels, replace: true)
            } == .specForeign)
        let installed = try InstalledSpec.named("dev", linked.folders)
        #expect(code { try SpecFolder.remove(installed) } == .specForeign)
        #expect(InstalledSpec.read(folder) != nil)
    }

    @Test func aFolderThatCannotBeWrittenIsNamed() {
        #expect(
            code {
                _ = try SpecFolder.write(SpecFixture.spec, name: "a", in: "/proc/kernels", replace: false)
            }
                == .specFolder)
    }

    @Test func removalTakesTheWholeFolder() throws {
        let fixture = try SpecFixture()
        for name in ["a", "b"] {
            _ = try SpecFolder.write(SpecFixture.spec, name: name, in: fixture.kernels, replace: false)
        }
        try SpecFolder.remove(InstalledSpec.named("a", fixture.folders))
        #expect(fixture.names(in: fixture.kernels) == ["b"])
        #expect(fixture.names(in: "\(fixture.root)/share/jupyter") == ["kernels"])
        #expect(code { _ = try InstalledSpec.named("a", fixture.folders) } == .specMissing)
        #expect(code { _ = try InstalledSpec.named("../b", fixture.folders) } == .specName)
    }

    @Test func theFirstOfANameWins() throws {
        let fixture = try SpecFixture()
        let other = try SpecFixture()
        try fixture.put(SpecFolderTests.foreign[0], as: "Dev")
        _ = try SpecFolder.write(SpecFixture.spec, name: "dev", in: other.kernels, replace: false)
        let path = [fixture, other].map { "\($0.root)/share/jupyter" }.joined(separator: ":")
        let folders = JupyterFolders(environment: ["HOME": "/nowhere", "JUPYTER_PATH": path]) { nil }
        #expect(InstalledSpec.all(folders).map(\.isShadowed) == [true])
    }
}
