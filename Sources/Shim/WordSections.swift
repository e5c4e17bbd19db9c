/// Whose the words of kernel.json are, by where they stand.
///
/// Jupyter appends words of its own behind them, which are the kernel's. So ours end at `--`, or at the first
/// word that is none of our options; everything behind goes to the kernel as it is. With `--image` the words
/// between one `--` and another are the engine's.
package struct WordSections {
    package let ours: Range<Int>
    package let run: Range<Int>
    package let trailing: Range<Int>

    package init(_ words: [String], options: Set<String>, flags: Set<String>) {
        var index = 0
        var makes = false
        while index < words.count, words[index] != "--" {
            if flags.contains(words[index]) {
                index += 1
                continue
            }
            let parts = words[index].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, options.contains(String(name)) else { break }
            if name == "--image" { makes = true }
            index += parts.count == 1 ? 2 : 1
        }
        // An option at the very end lacks its value; Arguments says so.
        let end = min(index, words.count)
        ours = 0..<end
        guard end < words.count, words[end] == "--" else {
            run = end..<end
            trailing = end..<words.count
            return
        }
        guard makes else {
            run = end..<end
            trailing = end + 1..<words.count
            return
        }
        let second = words[(end + 1)...].firstIndex(of: "--") ?? words.count
        run = end + 1..<second
        trailing = min(second + 1, words.count)..<words.count
    }
}
