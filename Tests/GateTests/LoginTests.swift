import CLinux
import Foundation
import Gate
import Glibc
import RelayLink
import Testing

/// What a kernel's environment is when it was asked for with a user.
@Suite struct LoginTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "kr-login-\(UUID())").path

    private func made(_ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func values(
        _ exec: [String: String], passwd: String = "", caller: String = "", adding: [String: String?] = [:]
    ) -> [String: String] {
        // So that none is made on the machine of the tests.
        let exec = exec.merging(["HOME": "/tmp"]) { given, _ in given }
        let login = Login(account: Account(uid: getuid(), in: passwd), caller: caller)
        return Environment(exec).forKernel(adding: adding, login: login, mark: ("M", "m")).values
    }

    @Test func anAccountOfTheContainers() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let home = try made("home")
        let found = values(
            ["HOME": "/another's", "PATH": "/image/bin", "USER": "another"],
            passwd: "ada:x:\(getuid()):0::\(home):/bin/sh\n", caller: "caller")
        #expect(found["HOME"] == home)
        #expect(found["USER"] == "ada" && found["LOGNAME"] == "ada")
        #expect(found["SHELL"] == "/bin/sh")
        #expect(found["PATH"] == "/image/bin")
    }

    @Test func anUnknownIdHasTheCallersNameElseItsNumber() {
        #expect(values([:], caller: "caller")["USER"] == "caller")
        #expect(values([:])["USER"] == "\(getuid())")
        #expect(values([:])["LOGNAME"] == "\(getuid())")
    }

    /// Images for any user have one.
    @Test func anUnknownIdMayHaveTheExecsHome() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let home = try made("shared")
        #expect(values(["HOME": home])["HOME"] == home)
    }

    @Test func whatTheLaunchSaysComesLast() {
        let found = values([:], adding: ["HOME": "/mine", "USER": "me", "SHELL": nil])
        #expect(found["HOME"] == "/mine" && found["USER"] == "me" && found["SHELL"] == nil)
    }

    @Test(arguments: ["/usr/sbin/nologin", "/bin/false", "/no/such/shell", "/", ""])
    func aShellThatIsNoneIsNotGiven(shell: String) {
        let found = values(["SHELL": "/bin/sh"], passwd: "x:x:\(getuid()):0::/:\(shell)\n")
        #expect(found["SHELL"] == "/bin/sh")
    }

    @Test func foldersOfAnotherUsersGo() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let own = try made("cache")
        let found = values([
            "XDG_CACHE_HOME": own, "XDG_CONFIG_HOME": "/no/such", "XDG_RUNTIME_DIR": "relative",
            "XDG_DATA_DIRS": "/no/such",
        ])
        #expect(found["XDG_CACHE_HOME"] == own)
        #expect(found["XDG_CONFIG_HOME"] == nil && found["XDG_RUNTIME_DIR"] == nil)
        #expect(found["XDG_DATA_DIRS"] == "/no/such")
    }

    @Test func withoutALoginEverythingIsTheExecs() {
        let found = Environment(["HOME": "/another's"]).forKernel(adding: [:], mark: ("M", "m")).values
        #expect(found["HOME"] == "/another's" && found["USER"] == nil && found["SHELL"] == nil)
    }

    // MARK: - The private home

    @Test func aPrivateHomeIsMadeOnce() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (first, second) = (try made("1"), try made("2"))
        let home = try #require(PrivateHome.path(for: getuid(), in: ["/no/such", first, second]))
        #expect(home.hasPrefix(first + "/"))
        var facts = stat()
        #expect(lstat(home, &facts) == 0 && facts.st_mode & 0o777 == 0o700 && facts.st_uid == getuid())
        #expect(PrivateHome.path(for: getuid(), in: [second, first]) == home)
        #expect(PrivateHome.path(for: getuid(), in: ["/no/such"]) == nil)
    }

    /// Everybody may write to /tmp: what lies there under its name may be a trap.
    @Test(arguments: ["link", "file", "open"])
    func whatIsNotTheUsersOwnIsPassedBy(trap: String) throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (first, second) = (try made("1"), try made("2"))
        let name = "\(first)/kernelrelay-home-\(getuid())"
        switch trap {
        case "link": #expect(symlink(try made("target"), name) == 0)
        case "file": #expect(close(open(name, O_CREAT | O_WRONLY, 0o700)) == 0)
        default: #expect(mkdir(name, 0o700) == 0 && chmod(name, 0o777) == 0)
        }
        #expect(PrivateHome.path(for: getuid(), in: [first, second])?.hasPrefix(second + "/") == true)
    }
}
