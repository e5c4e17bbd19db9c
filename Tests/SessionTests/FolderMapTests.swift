import Testing

@testable import KernelRelay

/// A notebook's folder, as the container's bind mounts show it.
@Suite struct FolderMapTests {
    private static let binds = [
        Container.Bind(source: "/home/ada", destination: "/work", isReadOnly: false),
        Container.Bind(source: "/home/ada/data", destination: "/data", isReadOnly: true),
        Container.Bind(source: "/srv/file.txt", destination: "/file.txt", isReadOnly: true),
    ]

    @Test(arguments: [
        ("/home/ada", "/work"), ("/home/ada/notes/today", "/work/notes/today"),
        // The innermost mount is the one that is seen.
        ("/home/ada/data/set", "/data/set"), ("/home/ada/database", "/work/database"),
    ])
    func isFound(folder: String, expected: String) {
        #expect(FolderMap.translate(folder, binds: Self.binds) == expected)
    }

    @Test(arguments: ["/home/adam", "/home", "/", "/srv", "/tmp"])
    func isOutside(folder: String) {
        #expect(FolderMap.translate(folder, binds: Self.binds) == nil)
    }

    @Test func theWholeHost() {
        let root = [Container.Bind(source: "/", destination: "/host", isReadOnly: false)]
        #expect(FolderMap.translate("/", binds: root) == "/host")
        #expect(FolderMap.translate("/var/lib", binds: root) == "/host/var/lib")
        let all = [Container.Bind(source: "/x", destination: "/", isReadOnly: false)]
        #expect(FolderMap.translate("/x", binds: all) == "/")
        #expect(FolderMap.translate("/x/y", binds: all) == "/y")
    }
}
