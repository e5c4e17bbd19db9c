import CCrypto
import CZMQ
import Glibc
import Host
import RelayLink

/// What this host brings along: libraries, the program that becomes the gate, relayd's folder, relayd.
extension Check {
    static let host: [Check] = [libraries, shim, folder, relayd]

    static let libraries = Check("libraries") { _ in
        var (major, minor, patch) = (Int32(0), Int32(0), Int32(0))
        zmq_version(&major, &minor, &patch)
        let crypto = OpenSSL_version(OPENSSL_VERSION).map { String(cString: $0) } ?? "libcrypto"
        let release = crypto.split(separator: " ").prefix(2).joined(separator: " ")
        let text = "libzmq \(major).\(minor).\(patch), \(release)"
        let install = "sudo apt-get install --reinstall libzmq5 libssl3"
        // What signs nothing relays nothing. By a key that is written here: where there is no HMAC there may be no
        // randomness either, without which no key can be drawn.
        guard (try? Signer(scheme: .hmacSHA256, key: SigningKey("doctor"))) != nil else {
            return .bad("\(text), which offers no HMAC-SHA256", install)
        }
        var random: UInt8 = 0
        guard RAND_bytes(&random, 1) == 1 else { return .bad("\(text), which has no randomness", install) }
        guard zmq_has("curve") == 1 else {
            return .warning("\(text), without CURVE: notebooks that ask for it cannot be served", install)
        }
        return .good("\(text), with CURVE")
    }

    static let shim = Check("relay-shim") { chart in
        let binary: GateBinary
        do throws(RelayError) {
            binary = try await GateBinary.find(chart.subject.environment)
        } catch {
            return .bad(error)
        }
        chart.shim = binary
        let path = ShellWord.quote(binary.path)
        guard access(binary.path, X_OK) == 0 else {
            return .bad("\(binary.path) may not be executed", "chmod 755 \(path)")
        }
        if let start = try? PrivateFile.read(binary.path, limit: 1 << 30).prefix(64 * 1024),
            let interpreter = ProgramHeader.interpreter(of: Array(start))
        {
            return .bad(
                "\(binary.path) is not static: containers without \(RelayLink.printable(interpreter)) cannot run it",
                "make build")
        }
        let asked = EngineCommand(
            client: EngineClient(command: [binary.path], environment: chart.subject.environment),
            words: ["--version"], limit: Tuning.checkAtMost)
        guard let answer = try? await asked.run(), answer.succeeded else {
            return .bad("\(binary.path) does not run", "\(path) --version")
        }
        let said = RelayLink.printable(answer.text.filter { !$0.isNewline })
        guard said == "relay-shim \(ControlProtocol.release), protocol \(ControlProtocol.version)" else {
            return .warning(
                "\(binary.path) is of another release: \(said)",
                "Put relayd and relay-shim of one release side by side.")
        }
        return .good("\(binary.path), static, release \(ControlProtocol.release)")
    }

    static let folder = Check("runtime folder") { chart in
        let path = RuntimeFolder.place(chart.subject.environment)
        do throws(HostError) {
            chart.folder = try RuntimeFolder(environment: chart.subject.environment)
        } catch {
            var facts = stat()
            let isOurs =
                lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR && facts.st_uid == geteuid()
            let remedy = isOurs ? "chmod 700 \(ShellWord.quote(path))" : error.remedy
            return .bad(error.message, remedy, code: error.code.rawValue)
        }
        return .good("\(path), mode 0700, yours")
    }

    static let relayd = Check("relayd", needs: ["runtime folder"]) { chart in
        guard let folder = chart.folder else { return .skipped("there is no folder") }
        let client: ControlClient
        do throws(HostError) {
            client = try ControlClient(folder)
        } catch  where error.code == .relaydAbsent {
            return .good("none runs; the first kernel starts it")
        } catch {
            return .bad(error.message, error.remedy, code: error.code.rawValue)
        }
        let pid = client.listener ?? 0
        do throws(Refusal) {
            guard case .status(_, let status, _) = try await client.ask(.status(request: 1)) else {
                return .bad("what listens at \(folder.socket) is no relayd", "ps -fp \(pid)")
            }
            chart.status = status
            return judge(status)
        } catch {
            return .bad("\(error.message) (pid \(pid))", replacing(pid), code: error.code)
        }
    }

    /// Ends a relayd and none of its kernels: their shims start the relayd that is there now. `relayd stop` would end them.
    private static func replacing(_ relayd: Int32) -> String {
        // No other number may reach `kill`: 0 is this very session.
        relayd > 1 ? "kill -TERM \(relayd)  # its kernels go on" : "relayd status"
    }

    /// Whether the relayd that runs is of this program's kind.
    package static func judge(_ status: JSON) -> Finding {
        let fields = status.fields ?? [:]
        let release = RelayLink.printable(fields["release"]?.text ?? "of no release")
        let count = fields["kernels"]?.list?.count ?? 0
        let kernels = count == 1 ? "1 kernel" : "\(count) kernels"
        let pid = Int32(clamping: fields["pid"]?.integer ?? 0)
        let text = "pid \(pid), release \(release), \(kernels)"
        if release == ControlProtocol.release { return .good(text) }
        return .warning("\(text); this program is of \(ControlProtocol.release)", replacing(pid))
    }
}

extension Check.Finding {
    /// A failure with its catalogue's remedy, or a better one.
    static func bad(_ error: RelayError, _ remedy: String? = nil) -> Check.Finding {
        let why = error.cause.map { " (\($0))" } ?? ""
        return .bad(
            "\(error.code.entry.summary): \(error.context)\(why)", remedy ?? error.remedy,
            code: error.code.rawValue)
    }
}
