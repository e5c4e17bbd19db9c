import Host
import RelayLink

/// `relayd add --from FILE`: a list of kernels, written all or not at all.
package enum AddFrom {
    static func run(_ words: [String], program: String) async throws -> Int32 {
        var arguments = try Arguments(
            words, options: PlaceOption.options.union(["--from"]),
            flags: PlaceOption.flags.union(["--replace"]))
        guard let file = try arguments.value("--from"), !file.isEmpty else {
            throw HostError(.usage, "--from needs a file")
        }
        // They hold for all entries, and stand before each one's own words, whose last may be the engine's.
        var common: [String] = []
        for flag in PlaceOption.flags.sorted() + ["--replace"] where arguments.flag(flag) {
            common.append(flag)
        }
        if let prefix = try arguments.value("--prefix") { common += ["--prefix", prefix] }
        guard arguments.rest.isEmpty else { throw HostError(.usage, "nothing belongs behind --") }
        try arguments.finish()
        var kernels: [AddedKernels.Kernel] = []
        for (index, words) in try entries(try read(file), of: file).enumerated() {
            do {
                kernels.append(try AddRequest.read(common + words, program: program))
            } catch let error as HostError {
                throw HostError(
                    error.code, "\(printable(file, limit: 500)), entry \(index + 1): \(error.context)")
            } catch let error as RelayError {
                let place = "\(printable(file, limit: 500)), entry \(index + 1): \(error.context)"
                throw RelayError(error.code, place, cause: error.cause)
            }
        }
        return try await AddedKernels.write(kernels)
    }

    private static func read(_ file: String) throws -> [UInt8] {
        do throws(RelayError) {
            return try PrivateFile.read(file, limit: Tuning.largestKernelList)
        } catch {
            throw HostError(
                .usage,
                "\(printable(file, limit: 500)) cannot be read (\(error.cause ?? error.code.entry.summary))")
        }
    }

    /// The words of `relayd add` for each entry of a list.
    package static func entries(_ bytes: [UInt8], of file: String) throws(HostError) -> [[String]] {
        let json: JSON
        do throws(JSON.Malformed) {
            json = try JSON(parsing: bytes)
        } catch {
            throw HostError(
                .usage, "\(printable(file, limit: 500)) is not JSON, at byte \(error.offset): \(error.reason)"
            )
        }
        guard let list = json.list else {
            throw HostError(.usage, "\(printable(file, limit: 500)) holds no list")
        }
        var entries: [[String]] = []
        for (index, value) in list.enumerated() {
            do throws(HostError) {
                entries.append(try words(value))
            } catch {
                throw HostError(
                    .usage, "\(printable(file, limit: 500)), entry \(index + 1): \(error.context)")
            }
        }
        return entries
    }

    /// Keys are the options' names with underscores, but for two: `user` and `command` mean the kernel's, as everywhere
    /// but in the words that `relayd add` shares with Jupyter.
    private static func option(_ key: String) -> String? {
        switch key {
        case "command": "--cmd"
        case "user": "--exec-user"
        case "cmd", "exec_user", "prefix", "sys_prefix", "replace": nil
        default: key.contains("-") ? nil : "--\(key.replacing("_", with: "-"))"
        }
    }

    private static func words(_ entry: JSON) throws(HostError) -> [String] {
        guard let fields = entry.fields else { throw HostError(.usage, "it is no object") }
        var words: [String] = []
        for (key, value) in fields.sorted(by: { $0.key < $1.key }) {
            if key == "env" {
                words += try variables(value)
                continue
            }
            if key == "run" { continue }
            guard let option = option(key) else { throw unknown(key) }
            if AddRequest.options.contains(option) {
                guard let texts = texts(value, isCommand: option == "--cmd") else {
                    throw HostError(.usage, "\(printable(key)) takes a string, a number or a list of strings")
                }
                // By `=`, or a value that begins with a dash would be an option.
                words += texts.map { "\(option)=\($0)" }
            } else if AddRequest.flags.contains(option) {
                guard let flag = value.flag else {
                    throw HostError(.usage, "\(printable(key)) takes true or false")
                }
                if flag { words.append(option) }
            } else {
                throw unknown(key)
            }
        }
        guard let run = fields["run"] else { return words }
        guard fields["image"] != nil else { throw HostError(.usage, "run belongs beside image") }
        guard run.list != nil, let arguments = texts(run, isCommand: false) else {
            throw HostError(.usage, "run takes a list of strings")
        }
        return words + ["--"] + arguments
    }

    private static func unknown(_ key: String) -> HostError {
        HostError(.usage, "unknown key \(printable(key))")
    }

    private static func texts(_ value: JSON, isCommand: Bool) -> [String]? {
        if let text = value.text { return text.utf8.contains(0) ? nil : [text] }
        if let number = value.integer { return [String(number)] }
        guard let list = value.list else { return nil }
        // A command's list is one value, in the form in which kernel.json has it.
        if isCommand { return [String(decoding: value.encoded, as: UTF8.self)] }
        let texts = list.compactMap(\.text).filter { !$0.utf8.contains(0) }
        return texts.count == list.count ? texts : nil
    }

    /// Null hands on Jupyter's own.
    private static func variables(_ value: JSON) throws(HostError) -> [String] {
        let wrong = HostError(
            .usage, "env takes an object of names and strings, or null to hand on Jupyter's own")
        guard let fields = value.fields else { throw wrong }
        var words: [String] = []
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, !name.contains("="), value == .null || value.text != nil,
                !name.utf8.contains(0), value.text?.utf8.contains(0) != true
            else { throw wrong }
            words.append("--env=\(name)\(value.text.map { "=\($0)" } ?? "")")
        }
        return words
    }
}
