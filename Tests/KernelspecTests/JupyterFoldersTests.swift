import KernelRelay
import Testing

/// jupyter_core's rules.
@Suite struct JupyterFoldersTests {
    private func folders(_ environment: [String: String], python: String? = nil) -> JupyterFolders {
        JupyterFolders(environment: environment) { python }
    }

    @Test func theUsersOwn() throws {
        let home = ["HOME": "/h"]
        #expect(try folders(home).kernels(.user) == "/h/.local/share/jupyter/kernels")
        let xdg = home.merging(["XDG_DATA_HOME": "/x/"]) { $1 }
        #expect(try folders(xdg).kernels(.user) == "/x/jupyter/kernels")
        let jupyter = xdg.merging(["JUPYTER_DATA_DIR": "/j"]) { $1 }
        #expect(try folders(jupyter).kernels(.user) == "/j/kernels")
        let empty = home.merging(["XDG_DATA_HOME": "", "JUPYTER_DATA_DIR": ""]) { $1 }
        #expect(try folders(empty).kernels(.user) == "/h/.local/share/jupyter/kernels")
    }

    @Test func thePrefixes() throws {
        let of = { (environment: [String: String], python: String?) in
            try folders(environment, python: python).kernels(.sysPrefix)
        }
        #expect(try of(["VIRTUAL_ENV": "/v", "CONDA_PREFIX": "/c"], "/p") == "/v/share/jupyter/kernels")
        #expect(try of(["CONDA_PREFIX": "/c"], "/p") == "/c/share/jupyter/kernels")
        #expect(try of([:], "/p") == "/p/share/jupyter/kernels")
        #expect(code { _ = try of([:], nil) } == .specFolder)
        #expect(try folders([:]).kernels(.prefix("/opt/x//")) == "/opt/x/share/jupyter/kernels")
    }

    @Test func theSearchNamesEachOnce() {
        let found = folders(["HOME": "/h", "JUPYTER_PATH": "/a:/b:/a", "VIRTUAL_ENV": "/usr"]).search
        #expect(
            found == [
                "/a/kernels", "/b/kernels", "/h/.local/share/jupyter/kernels", "/usr/share/jupyter/kernels",
                "/usr/local/share/jupyter/kernels",
            ])
    }

    @Test func pythonIsAsked() {
        let prefix = JupyterFolders.askPython()
        #expect(prefix == nil || prefix?.hasPrefix("/") == true)
    }
}
