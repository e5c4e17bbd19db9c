import KernelRelay
import Testing

/// Paths of the host and of a container, as the container's mounts have them.
@Suite struct FolderMapTests {
    private static let binds = FolderMap([
        .init(outside: "/home/ada", inside: "/work"), .init(outside: "/home/ada/data", inside: "/data"),
        .init(outside: "/srv/file.txt", inside: "/file.txt"),
    ])

    @Test(arguments: [
        ("/home/ada", "/work"), ("/home/ada/notes/today", "/work/notes/today"),
        // The innermost mount is the one that is seen.
        ("/home/ada/data/set", "/data/set"), ("/home/ada/database", "/work/database"),
        ("/srv/file.txt", "/file.txt"),
    ])
    func isFoundOnBothSides(outside: String, inside: String) {
        #expect(Self.binds.inside(outside) == inside)
        #expect(Self.binds.outside(inside) == outside)
    }

    /// What the container sees under that name is another folder.
    @Test func isHidden() {
        let map = FolderMap(
            [.init(outside: "/p", inside: "/in"), .init(outside: "/q", inside: "/in/other")],
            mounts: ["/in", "/in/volume"])
        #expect(map.inside("/p/a") == "/in/a")
        #expect(map.inside("/p/volume/a") == nil)
        #expect(map.inside("/p/other") == nil)
        #expect(map.inside("/q") == "/in/other")
        #expect(map.outside("/in/other/a") == "/q/a")
        #expect(map.outside("/in/volume/a") == nil)
        #expect(map.outside("/in/volumes") == "/p/volumes")
    }

    @Test(arguments: ["/home/adam", "/home", "/", "/srv", "/tmp"])
    func isOutside(folder: String) {
        #expect(Self.binds.inside(folder) == nil)
    }

    @Test(arguments: ["/workshop", "/", "/usr/lib/python3/os.py", "/file.txt.py", "<stdin>", ""])
    func isTheContainersOwn(path: String) {
        #expect(Self.binds.outside(path) == nil)
    }

    @Test func theWholeHost() {
        let root = FolderMap([.init(outside: "/", inside: "/host")])
        #expect(root.inside("/") == "/host")
        #expect(root.inside("/var/lib") == "/host/var/lib")
        #expect(root.outside("/host") == "/")
        #expect(root.outside("/host/var") == "/var")
        let all = FolderMap([.init(outside: "/x", inside: "/")])
        #expect(all.inside("/x") == "/")
        #expect(all.inside("/x/y") == "/y")
        #expect(all.outside("/y") == "/x/y")
        #expect(all.outside("/") == "/x")
    }
}
