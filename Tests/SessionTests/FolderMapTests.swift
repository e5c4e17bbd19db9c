import Testing

@testable import KernelRelay

/// A notebook's folder, as the container's bind mounts show it.
@Suite struct FolderMapTests {
    private static let binds = [
        Container.Bind(source: "/home/ada", destination: "/work"),
        Container.Bind(source: "/home/ada/data", destination: "/data"),
        Container.Bind(source: "/srv/file.txt", destination: "/file.txt"),
    ]

    @Test(arguments: [
        ("/home/ada", "/work"), ("/home/ada/notes/today", "/work/notes/today"),
        // The innermost mount is the one that is seen.
        ("/home/ada/data/set", "/data/set"), ("/home/ada/database", "/work/database"),
    ])
    func isFound(folder: String, expected: String) {
        #expect(FolderMap.translate(folder, binds: Self.binds) == expected)
    }

    /// What the container sees under that name is another folder.
    @Test func isHidden() {
        let binds = [
            Container.Bind(source: "/p", destination: "/in"), .init(source: "/q", destination: "/in/other"),
        ]
        let mounts = ["/in", "/in/volume"]
        #expect(FolderMap.translate("/p/a", binds: binds, mounts: mounts) == "/in/a")
        #expect(FolderMap.translate("/p/volume/a", binds: binds, mounts: mounts) == nil)
        #expect(FolderMap.translate("/p/other", binds: binds, mounts: mounts) == nil)
        #expect(FolderMap.translate("/q", binds: binds, mounts: mounts) == "/in/other")
    }

    @Test(arguments: ["/home/adam", "/home", "/", "/srv", "/tmp"])
    func isOutside(folder: String) {
        #expect(FolderMap.translate(folder, binds: Self.binds) == nil)
    }

    @Test func theWholeHost() {
        let root = [Container.Bind(source: "/", destination: "/host")]
        #expect(FolderMap.translate("/", binds: root) == "/host")
        #expect(FolderMap.translate("/var/lib", binds: root) == "/host/var/lib")
        let all = [Container.Bind(source: "/x", destination: "/")]
        #expect(FolderMap.translate("/x", binds: all) == "/")
        #expect(FolderMap.translate("/x/y", binds: all) == "/y")
    }
}
