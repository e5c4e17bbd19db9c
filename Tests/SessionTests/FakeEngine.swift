import Foundation
import Glibc
import Ground

/// An engine with one container, which is this machine: a shell script stands for its client, and the gate that it
/// starts is the real one.
///
/// As with a real engine a gate outlives its client: client and gate are connected by pipes, and the gate leads a
/// session of its own. What the client does is chosen by a file, so that a test can change it at any time.
struct FakeEngine: Sendable {
    enum Mode: String {
        case works
        /// No program can be run in the container, nor be copied into it; found out when `letGo` is called.
        case fails
        /// Runs, and says nothing.
        case silent
        /// Takes a second to begin.
        case slow
        /// Passes on the gate's first word, and ends.
        case hangsUp
        /// No command of its client works: the engine is down.
        case absent
        /// Does not say what has become of a container, as an engine under load.
        case stuck
        /// Says it, and takes longer than somebody is left without an explanation.
        case tardy
    }

    let folder: String
    let container = String(repeating: "c0ffee00", count: 8)
    let client: [String]
    let environment: [String: String]

    init(folder: String, mark: String) throws {
        self.folder = folder
        let script = "\(folder)/client"
        try Self.script.write(toFile: script, atomically: true, encoding: .utf8)
        // By its interpreter: a file that was just written may still be open in another test's child.
        client = ["/bin/sh", script]
        environment = [
            "PATH": "/usr/bin:/bin", "HOME": folder, "KR_RIG": folder, "KR_TEST_MARK": mark,
            "KERNELRELAY_SHIM": Repository.shim,
        ]
        try become(.works)
        try setState("running")
    }

    func become(_ mode: Mode) throws { try write("\(mode.rawValue)\n", "mode") }

    func letGo() throws { try write("", "go") }

    /// What `inspect` says: a container on the host's network, so that its gate is reached at 127.0.0.1.
    func setState(_ state: String) throws { try write(inspected(state), "inspect.json") }

    /// What `inspect` says the next time it is asked, and no more; with it the client's ways change.
    func say(_ state: String, then mode: Mode) throws {
        try write(inspected(state), "once.json")
        try write("\(mode.rawValue)\n", "once")
    }

    private func inspected(_ state: String) -> String {
        """
        [{"Id": "\(container)", "Name": "/box", "State": {"Status": "\(state)", "Pid": 0},
          "Config": {"User": ""}, "HostConfig": {"NetworkMode": "host"}, "Mounts": []}]
        """
    }

    private func write(_ text: String, _ name: String) throws {
        try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
    }

    // MARK: - What was done with it

    private func lines(_ name: String) -> [[String]] {
        let text = (try? String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    }

    /// The words of every exec, in order.
    var execs: [[String]] { lines("calls").filter { $0.first == "exec" } }
    var inspects: Int { lines("calls").count { $0.first == "inspect" } }

    struct Link {
        let client: Int32
        /// The gate, or what joined it.
        let process: Int32
        let joins: Bool
        /// What is on its way to the gate, and not yet read by it.
        let input: String

        /// As somebody does who kills the engine's client.
        func cut() { kill(-client, SIGKILL) }

        /// Bytes that relayd has said and the other side has not read.
        var unread: Int32 {
            let descriptor = open(input, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { return 0 }
            defer { close(descriptor) }
            var count: Int32 = 0
            let fionread: UInt = 0x541B
            return ioctl(descriptor, fionread, &count) == 0 ? count : 0
        }
    }

    /// Every link that was begun, in order.
    var links: [Link] {
        lines("links").compactMap { words in
            guard words.count > 3, let client = Int32(words[0]), let process = Int32(words[1]) else {
                return nil
            }
            return Link(
                client: client, process: process, joins: words.contains("--join"), input: words[2] + "/in")
        }
    }

    var gates: [Int32] { links.filter { !$0.joins }.map(\.process) }

    private static let script = #"""
        echo "$*" >> "$KR_RIG/calls"
        read -r mode < "$KR_RIG/mode"
        if [ "$mode" = absent ]; then exit 1; fi
        if [ "$mode $1" = 'stuck inspect' ]; then exec sleep 1000; fi
        if [ "$mode $1" = 'tardy inspect' ]; then sleep 1.5; fi
        case "$1" in
        inspect)
            for name; do :; done
            if [ -e "$KR_RIG/gone-$name" ]; then echo '[]'; exit 1; fi
            if mv "$KR_RIG/once" "$KR_RIG/mode" 2>/dev/null; then exec cat "$KR_RIG/once.json"; fi
            exec cat "$KR_RIG/inspect.json" ;;
        version) echo '{}'; exit 0 ;;
        exec) ;;
        *) exit 1 ;;
        esac
        shift 2
        if [ "$1" = --user ]; then shift 2; fi
        shift 2
        case "$mode" in
        fails) until [ -e "$KR_RIG/go" ]; do sleep 0.02; done; exit 126 ;;
        silent) exec sleep 1000 ;;
        slow) sleep 1 ;;
        esac
        d="$KR_RIG/link-$$"
        mkdir "$d"
        mkfifo "$d/in" "$d/out"
        exec 3<&0 4>&1 </dev/null >/dev/null
        setsid "$KERNELRELAY_SHIM" "$@" <"$d/in" >"$d/out" 2>"$d/err" 3<&- 4>&- &
        gate=$!
        cat <&3 >"$d/in" 3<&- 4>&- &
        up=$!
        if [ "$mode" = hangsUp ]; then
            dd bs=65536 count=1 <"$d/out" >&4 2>/dev/null 3<&- 4>&- &
        else
            cat <"$d/out" >&4 3<&- 4>&- &
        fi
        down=$!
        exec 3<&- 4>&-
        echo "$$ $gate $d $*" >> "$KR_RIG/links"
        wait $down
        kill $up 2>/dev/null
        wait $gate
        code=$?
        cat "$d/err" >&2
        exit $code

        """#
}
