/// The page's files, as the build has put them into the program.
extension StatusPage {
    static let markup = text(PackageResources.page_html)
    static let style = text(PackageResources.page_css)
    /// One after the other, as if they were one.
    static let script = [
        PackageResources.format_js, PackageResources.plots_js, PackageResources.page_js,
        PackageResources.stream_js,
    ].map(text).joined()

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
