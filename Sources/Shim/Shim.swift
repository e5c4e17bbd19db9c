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
        HiddenValues.hide(words, options: LaunchWords.options, flags: LaunchWords.flags)
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
               relay-shim -f CONNECTION_FILE --image IMAGE [OPTIONS] [-- ARGUMENTS FOR RUN... [-- WORDS]]
               relay-shim -f CONNECTION_FILE --cmd COMMAND [OPTIONS] [--] [WORDS FOR THE COMMAND...]
               relay-shim -f CONNECTION_FILE --project [OPTIONS] [--] [WORDS FOR THE KERNEL...]

          -f FILE             the connection file that Jupyter wrote
          --container NAME    a running container; or compose:PROJECT/SERVICE, or label:KEY=VALUE
          --image IMAGE       makes a container for this kernel alone, and removes it with the kernel; a variable
                              in the arguments for run (-e NAME=VALUE) is the kernel's, and --entrypoint what it
                              is run through
          --project           the container, and who runs what in it, by the nearest .kernelrelay.json, from the
                              working folder upward; KERNELRELAY_CONTAINER, _COMMAND, _USER, _WORKDIR and
                              _ENV_NAME go before it
          --allow PATTERN     a container that such a file may choose; else any (may be repeated)
          --user USER         who the kernel is in there, as docker exec takes it; `host`: your uid and gid, so that
                              what it writes is yours
          --workdir FOLDER    in the container; else where the notebook's folder is mounted
          --env NAME[=VALUE]  a variable for the kernel; a bare name hands on yours (may be repeated)
          --cmd COMMAND       a JSON or Python list, or shell words; else ipykernel; with neither --container
                              nor --image it is run on this host, and told its ports by JUPYTER_SHELL_PORT (where
                              to listen), JUPYTER_SHELL_PORT_HOST (where it is looked for), and so on
          --docker CLIENT     the engine's client and its options, as shell words; else docker
          --transport KIND    between gate and kernel: ipc (else) or tcp; on this host ipc for ipykernel itself,
                              else tcp
          --route ROUTE       auto (else), published, bridge, line or tunnel; on this host published: behind ports
                              that the command maps; line: here
          --ssh-agent         the ssh agent of SSH_AUTH_SOCK, in the container, for as long as the kernel lives
          --interrupt HOW     auto (else), signal or message
          --on-failure HOW    kernel (else): cells are answered with the reason, and the next one tries again;
                              exit: end with the reason on stderr
          --debug-paths WHOSE container (else), or host: a debugging front end sees and names the host's files where
                              a bind mount shows them in the container
          --launch-timeout SECONDS
                              how long a launch may take; else 50
          --idle-timeout TIME, --max-lifetime TIME
                              end the kernel when nothing has run in it for so long, or when it has been there for so
                              long: seconds, or 30m, 2h, 1d. The notebook is told five minutes before
          --control --hb --iopub --shell --stdin PORT
                              the container's ports; else 10000 to 10004 in this order

        `--docker` may be a list, too, and lead to a script of your own.
        Our options end at `--`, or at the first word that is none of them; the rest is the kernel's.
        """
}
