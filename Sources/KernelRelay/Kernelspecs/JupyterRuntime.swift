import Glibc

/// Where Jupyter's programs look for the connection files of running kernels.
package enum JupyterRuntime {
    /// By Jupyter's own rules.
    package static func folder(_ environment: [String: String]) -> String {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let folder = value("JUPYTER_RUNTIME_DIR") { return folder }
        if let data = value("JUPYTER_DATA_DIR") { return data + "/runtime" }
        if let data = value("XDG_DATA_HOME") { return data + "/jupyter/runtime" }
        return (value("HOME") ?? "") + "/.local/share/jupyter/runtime"
    }

    /// The same, made where it is missing.
    package static func made(_ environment: [String: String]) throws(RelayError) -> String {
        let folder = folder(environment)
        var path = ""
        for part in folder.split(separator: "/") {
            path += "/" + part
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
                throw RelayError(.connectionNotWritten, folder, cause: errorText(errno))
            }
        }
        return folder
    }
}
