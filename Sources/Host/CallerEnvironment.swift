/// What the caller's environment says, and which parts of it go where.
package struct CallerEnvironment: Sendable {
    package let variables: [String: String]

    package init(_ variables: [String: String]) { self.variables = variables }

    /// This process's own.
    package static var current: CallerEnvironment { CallerEnvironment(CurrentEnvironment.variables) }

    package subscript(_ name: String) -> String? { variables[name] }

    /// What an engine's client needs to reach the engine that the caller means. A list of what crosses, and not
    /// of what does not: a notebook server's environment holds tokens and passwords that are nobody's business.
    package var forEngine: [String: String] { variables.filter { Self.isForEngine($0.key) } }

    /// relayd outlives the caller and serves its later callers as well.
    package var forRelayd: [String: String] {
        variables.filter { name, _ in
            // Where Jupyter looks for kernels is where discovery writes them.
            Self.isForEngine(name) || name == "JUPYTER_DATA_DIR"
                || name.hasPrefix("KERNELRELAY_") && !Self.isOfOneKernel(name)
        }
    }

    private static func isOfOneKernel(_ name: String) -> Bool {
        name.hasPrefix(ProjectVariables.env) || ProjectVariables.names.contains(name)
    }

    private static let names: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TMPDIR", "TZ",
        // How rootless engines and ssh:// engines are reached.
        "SSH_AUTH_SOCK", "SSH_AGENT_PID", "DBUS_SESSION_BUS_ADDRESS", "KUBECONFIG", "REGISTRY_AUTH_FILE",
        "SSL_CERT_FILE", "SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTP_PROXY",
        "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
    ]
    private static let prefixes = [
        "DOCKER_", "CONTAINER_", "CONTAINERS_", "_CONTAINERS_", "CONTAINERD_", "NERDCTL_", "PODMAN_", "XDG_",
        "LC_",
    ]

    private static func isForEngine(_ name: String) -> Bool {
        names.contains(name) || prefixes.contains { name.hasPrefix($0) }
    }
}
