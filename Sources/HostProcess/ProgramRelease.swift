/// The release of the programs.
public enum ProgramRelease {
    /// Three numbers, as in `1.2.3`; the same for all programs.
    public static let version = "0.4.0"
}
