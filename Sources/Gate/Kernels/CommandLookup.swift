import CLinux
import Glibc
import RelayLink

/// Finds the program that a launch names, and says why one cannot be run.
package enum CommandLookup {
    /// The path to execute: as a shell would find it, in the kernel's own PATH and from its own folder.
    package static func path(of command: String, in environment: Environment, from folder: String?)
        throws(GateError) -> String
    {
        func absolute(_ path: String) -> String {
            guard let folder, !path.hasPrefix("/") else { return path }
            return "\(folder)/\(path)"
        }
        if command.utf8.contains(UInt8(ascii: "/")) {
            let path = absolute(command)
            var facts = stat()
            guard stat(path, &facts) == 0 else {
                throw GateError(.commandNotFound, "\(printable(command)): \(errorText(errno))")
            }
            try check(path, facts)
            return path
        }
        var refused: GateError?
        let list = environment.values["PATH"] ?? Environment.usualPath
        for part in list.split(separator: ":", omittingEmptySubsequences: false) {
            let path = absolute("\(part.isEmpty ? "." : part)/\(command)")
            var facts = stat()
            guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { continue }
            do throws(GateError) {
                try check(path, facts)
                return path
            } catch {
                refused = refused ?? error
            }
        }
        throw refused ?? GateError(.commandNotFound, "\(printable(command)), in PATH \(printable(list))")
    }

    private static func check(_ path: String, _ facts: stat) throws(GateError) {
        guard facts.st_mode & S_IFMT == S_IFREG else {
            throw GateError(.commandNotExecutable, "\(printable(path)) is not a file")
        }
        guard access(path, X_OK) != 0 else { return }
        try refuseNoexec(path)
        throw GateError(.commandNotExecutable, "\(printable(path)), for uid \(geteuid())")
    }

    private static func refuseNoexec(_ path: String) throws(GateError) {
        var facts = statvfs()
        let noexec: UInt = 8
        if statvfs(path, &facts) == 0, UInt(facts.f_flag) & noexec != 0 {
            throw GateError(.commandNoexec, printable(path))
        }
    }

    /// Why an exec failed: the error number alone would send people the wrong way.
    package static func explain(_ failure: Int32, _ path: String) -> GateError {
        let name = printable(path)
        switch failure {
        case EACCES, EPERM:
            do throws(GateError) { try refuseNoexec(path) } catch { return error }
            return GateError(.commandNotExecutable, name)
        case ENOENT, ENOTDIR:
            // It was there when it was looked up: what is missing is what it names inside.
            return GateError(.commandInterpreter, "\(name) needs \(interpreter(of: path) ?? "another file")")
        case ENOEXEC, ELIBBAD:
            guard let head = SmallFile.read(path, limit: 64), head.starts(with: [0x7F, 0x45, 0x4C, 0x46])
            else { return GateError(.commandFormat, name) }
            let machine = head.count > 19 ? UInt16(head[18]) | UInt16(head[19]) << 8 : 0
            let own = SmallFile.read("/proc/self/exe", limit: 64).map { UInt16($0[18]) | UInt16($0[19]) << 8 }
            if let own, own != machine {
                return GateError(
                    .commandArchitecture, "\(name) is \(architecture(machine)), this is \(architecture(own))")
            }
            return GateError(.commandFormat, "\(name) is a broken ELF file")
        case E2BIG: return GateError(.commandTooLong, name)
        case EAGAIN, ENOMEM, EMFILE, ENFILE: return GateError(.resources, errorText(failure))
        default: return .system("exec \(name)", failure)
        }
    }

    private static func architecture(_ machine: UInt16) -> String {
        switch machine {
        case 3: "x86"
        case 40: "arm"
        case 62: "x86_64"
        case 183: "aarch64"
        case 243: "riscv64"
        default: "machine \(machine)"
        }
    }

    /// What a script's first line or a program's header names.
    private static func interpreter(of path: String) -> String? {
        guard let head = SmallFile.read(path, limit: 4096) else { return nil }
        if head.starts(with: [UInt8(ascii: "#"), UInt8(ascii: "!")]) {
            let line = head.dropFirst(2).prefix { $0 != 0x0A }
            let words = String(decoding: line, as: UTF8.self).split { $0 == " " || $0 == "\t" || $0 == "\r" }
            return words.first.map { printable(String($0)) }
        }
        // A 64-bit little-endian ELF's PT_INTERP. Its offsets are a file's word, and are checked.
        func number(_ offset: Int, _ length: Int) -> Int? {
            guard offset >= 0, offset + length <= head.count else { return nil }
            let value = (0..<length).reduce(UInt64(0)) { $0 | UInt64(head[offset + $1]) << UInt64(8 * $1) }
            return Int(exactly: value)
        }
        guard head.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]), let table = number(32, 8),
            let size = number(54, 2), let count = number(56, 2)
        else { return nil }
        for index in 0..<min(count, 64) {
            guard let entry = Optional(table &+ index * size), number(entry, 4) == 3,
                let start = number(entry &+ 8, 8), start < head.count
            else { continue }
            return printable(String(decoding: head[start...].prefix { $0 != 0 }, as: UTF8.self))
        }
        return nil
    }
}
