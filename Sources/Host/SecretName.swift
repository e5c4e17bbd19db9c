/// Tells by its name whether a value is nobody's business.
package enum SecretName {
    package static func isSecret(_ name: String) -> Bool { isSecret(name.utf8) }

    package static func isSecret(_ name: some Sequence<UInt8>) -> Bool {
        let name = name.map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        if places.contains(where: { $0.elementsEqual(name) }) { return false }
        return name.indices.contains { start in
            let rest = name[start...]
            if words.contains(where: { rest.starts(with: $0) }) { return true }
            // Not what is only somebody: an author is no secret.
            return rest.starts(with: auth) && !rest.dropFirst(auth.count).starts(with: or)
        }
    }

    /// In small letters.
    private static let words = [
        "token", "secret", "pass", "pwd", "credential", "key", "cookie", "authorization",
    ].map { Array($0.utf8) }
    private static let auth = Array("auth".utf8)
    private static let or = Array("or".utf8)

    /// What a shell calls its folder by: every environment has it, and taken out wherever it stands it would leave nothing
    /// to read.
    private static let places = ["pwd", "oldpwd"].map { Array($0.utf8) }
}
