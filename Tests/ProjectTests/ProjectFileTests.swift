import Foundation
import KernelRelay
import Testing

/// Where a project's file is looked for, and whose it may be.
@Suite struct ProjectFileTests {
    private let text = #"{"container": "dev"}"#

    @Test func theNearestCounts() throws {
        let fixture = try ProjectFixture()
        let deep = try fixture.folder("a/b/c")
        let far = try fixture.put(text)
        #expect(try fixture.choose(in: deep).file == far)
        let near = try fixture.put(#"{"container": "near"}"#, in: "a/b")
        #expect(try fixture.choose(in: deep).file == near)
        #expect(try fixture.choose(in: deep).values.container == "near")
        #expect(try fixture.choose(in: fixture.folder("a")).file == far)
    }

    /// One further up would mean something else.
    @Test func aBrokenOneIsNotPassedBy() throws {
        let fixture = try ProjectFixture()
        try fixture.put(text)
        try fixture.put("{", in: "a")
        let folder = try fixture.folder("a/b")
        #expect(refusal { _ = try fixture.choose(in: folder) }?.code == .projectJSON)
        try fixture.put("{}", in: "a")
        #expect(refusal { _ = try fixture.choose(in: folder) }?.code == .projectMissing)
    }

    @Test func linksInTheFoldersPathAreResolved() throws {
        let fixture = try ProjectFixture()
        let real = try fixture.folder("real/inside")
        let file = try fixture.put(text, in: "real")
        try fixture.put(#"{"container": "other"}"#, in: "elsewhere")
        let link = "\(fixture.root)/elsewhere/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: real)
        #expect(try fixture.choose(in: link).file == file)
    }

    @Test func theSearchEndsWhereEverybodyMayWrite() throws {
        let fixture = try ProjectFixture()
        try fixture.put(text)
        let open = try fixture.folder("open", mode: 0o777)
        let inner = try fixture.folder("open/mine")
        let error = refusal { _ = try fixture.choose(in: inner) }
        #expect(error?.code == .projectMissing)
        #expect(
            error?.context.contains("\(open), which is not looked into: everybody may write to it") == true)
        // Nor is one there looked at.
        try fixture.put(text, in: "open")
        try #require(chmod(open, 0o777) == 0)
        #expect(refusal { _ = try fixture.choose(in: open) }?.code == .projectMissing)
        try fixture.put(text, in: "open/mine")
        #expect(try fixture.choose(in: inner).values.container == "dev")
    }

    @Test func nothingIsFoundInVain() throws {
        let fixture = try ProjectFixture()
        let error = refusal { _ = try fixture.choose() }
        #expect(error?.code == .projectMissing)
        #expect(error?.context.contains("/tmp") == true, "it says where it ended")
        let gone = refusal { _ = try fixture.choose(in: "\(fixture.root)/gone") }
        #expect(gone?.code == .projectMissing && gone?.context.contains("gone") == true)
    }

    @Test(
        arguments: [(0o666, "everybody"), (0o646, "everybody"), (0o000, nil), (0o444, nil)]
            as [(mode_t, String?)])
    func whoMayWriteIt(mode: mode_t, reason: String?) throws {
        let fixture = try ProjectFixture()
        try fixture.put(text, mode: mode)
        guard let reason else {
            // Root reads whatever it is.
            if mode == 0, geteuid() != 0 {
                #expect(refusal { _ = try fixture.choose() }?.code == .projectFile)
            } else {
                #expect(try fixture.choose().values.container == "dev")
            }
            return
        }
        let error = refusal { _ = try fixture.choose() }
        #expect(error?.code == .projectFile && error?.cause?.hasPrefix(reason) == true)
    }

    @Test func aGroupThatIsAlsoOthersMayNotWriteIt() throws {
        let fixture = try ProjectFixture()
        let file = try fixture.put(text, mode: 0o664)
        // Its owner's own group, as far as this machine has such.
        if let user = getpwuid(geteuid()), let group = getgrgid(getegid()), user.pointee.pw_gid == getegid(),
            String(cString: user.pointee.pw_name) == String(cString: group.pointee.gr_name),
            group.pointee.gr_mem.pointee == nil
        {
            #expect(try fixture.choose().values.container == "dev")
        }
        // Only root may give a file to a group that it is not in.
        if geteuid() == 0 {
            try #require(chown(file, 0, 1) == 0)
            #expect(refusal { _ = try fixture.choose() }?.cause == "its group may write it")
        }
    }

    /// Whoever may rename what is in a folder decides which of one's files has the name.
    @Test func aGroupThatIsAlsoOthersEndsTheSearch() throws {
        guard geteuid() == 0 else { return }
        let fixture = try ProjectFixture()
        let folder = try fixture.folder("team")
        try fixture.put(text, in: "team")
        // root's own group, and another's.
        try #require(chmod(folder, 0o2775) == 0)
        #expect(try fixture.choose(in: folder).values.container == "dev")
        try #require(chown(folder, 0, 1) == 0 && chmod(folder, 0o2775) == 0)
        let error = refusal { _ = try fixture.choose(in: folder) }
        #expect(error?.code == .projectMissing)
        #expect(error?.context.contains("not looked into: its group may write to it") == true)
        try #require(chmod(folder, 0o755) == 0)
        #expect(try fixture.choose(in: folder).values.container == "dev")
    }

    @Test func anothersIsRefused() throws {
        guard geteuid() == 0 else { return }
        let fixture = try ProjectFixture()
        let file = try fixture.put(text, in: "a")
        try #require(chown(file, 4711, 4711) == 0)
        let folder = try fixture.folder("a")
        #expect(refusal { _ = try fixture.choose(in: folder) }?.cause == "it belongs to another user")
        try #require(chown(folder, 4711, 4711) == 0)
        try fixture.put(text)
        let error = refusal { _ = try fixture.choose(in: folder) }
        #expect(error?.code == .projectMissing && error?.context.contains("belongs to another user") == true)
    }

    @Test func onlyARegularFileIsOne() throws {
        let fixture = try ProjectFixture()
        let real = try fixture.put(text, in: "real")
        for make: (String) throws -> Void in [
            { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: real) },
            { try FileManager.default.createSymbolicLink(atPath: $0, withDestinationPath: "/nowhere") },
            { try FileManager.default.createDirectory(atPath: $0, withIntermediateDirectories: false) },
            { try #require(mkfifo($0, 0o600) == 0) },
        ] {
            let path = "\(try fixture.folder("x"))/\(ProjectFile.name)"
            try make(path)
            let error = refusal { _ = try fixture.choose(in: fixture.folder("x")) }
            #expect(error?.code == .projectFile && error?.context == path)
            try FileManager.default.removeItem(atPath: path)
        }
    }

    @Test func aLargeOneIsRefused() throws {
        let fixture = try ProjectFixture()
        try fixture.put(text + String(repeating: " ", count: Tuning.largestProjectFile))
        #expect(refusal { _ = try fixture.choose() }?.code == .projectFile)
    }
}
