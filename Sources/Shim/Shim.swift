import Glibc
import Host
import RelayLink

/// The program that kernel.json names: it asks relayd for a kernel, and lives and ends as the kernel does.
/// `docs/shim.md` is its contract with Jupyter.
package enum Shim {
    /// Returns the exit code, or does not return: a shim whose kernel died by a signal dies by it.
    package static func run(_ words: [String]) -> Int32 {
        let outlets = Outlets()
        // Its end closes the connection, which must not wait for whoever reads the last output.
        let ending = end(words, outlets)
        outlets.finish(ending.lines, within: Patience.lastOutput)
        return ending.perform()
    }

    private static func end(_ words: [String], _ outlets: Outlets) -> Ending {
        let caller = CallerEnvironment.current
        do throws(HostError) {
            var reader = try LaunchWords(words, caller: caller, folder: try workingFolder())
            let launch = try reader.launch()
            let folder = try RuntimeFolder(environment: caller.variables)
            return try ShimLoop(launch, folder: folder, caller: caller, outlets: outlets).run()
        } catch {
            return Ending(error)
        }
    }

    private static func workingFolder() throws(HostError) -> String {
        guard let path = getcwd(nil, 0) else { throw .system("the working folder") }
        defer { free(path) }
        return String(cString: path)
    }

    package static let usage = """
        usage: relay-shim -f CONNECTION_FILE --container NAME [OPTIONS] [--] [WORDS FOR THE KERNEL...]

          -f FILE             the connection file that Jupyter wrote
          --container NAME    a running container
          --user USER         who the kernel is in there, as docker exec takes it; `host`: your uid and gid
          --workdir FOLDER    in the container; else where the notebook's folder is mounted
          --env NAME[=VALUE]  a variable for the kernel; a bare name hands on yours (may be repeated)
          --cmd COMMAND       a JSON or Python list, or shell words; else ipykernel
          --docker CLIENT     the engine's client and its options, as shell words; else docker
          --transport KIND    between gate and kernel: ipc (else) or tcp
          --route ROUTE       auto (else), published, bridge or line
          --interrupt HOW     auto (else), signal or message
          --control --hb --iopub --shell --stdin PORT
                              the container's ports; else 10000 to 10004 in this order

        Our options end at `--`, or at the first word that is none of them; the rest is the kernel's.
        """
}
