/// A user, as /etc/passwd has it. Read by hand: the C library would load code for it, which a static program cannot, and
/// in a container not from an image.
package struct Account: Sendable, Equatable {
    package var name: String?
    package var home: String?
    package var shell: String?

    /// - Parameter passwd: the text of the file.
    package init(uid: UInt32, in passwd: String) {
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count >= 7, UInt32(fields[2]) == uid else { continue }
            func field(_ index: Int) -> String? { fields[index].isEmpty ? nil : String(fields[index]) }
            (name, home, shell) = (field(0), field(5), field(6))
            return
        }
    }
}
