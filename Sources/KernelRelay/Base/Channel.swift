/// One of the five conversations between a Jupyter client and a kernel.
public enum Channel: String, CaseIterable, Sendable, Codable {
    case shell
    case iopub
    case stdin
    case control
    case hb
}
