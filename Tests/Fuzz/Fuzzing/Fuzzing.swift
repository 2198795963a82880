import Glibc
public import Octets

/// libFuzzer's loop; it stands in the sanitizer's run-time library, which `-sanitize=fuzzer` links.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// One fuzz target: a program that `scripts/fuzz` builds and feeds.
public enum Fuzzing {
    /// Set once, before the loop begins; the loop is one thread.
    nonisolated(unsafe) private static var target: (OctetString) -> Void = { _ in }

    /// Calls `target` with one input after the other until libFuzzer's options say that it is enough.
    ///
    /// The octets are a copy of their own, so that a read beyond their end is seen.
    public static func run(_ target: @escaping (OctetString) -> Void) -> Never {
        self.target = target
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let status = runDriver(&count, &arguments) { start, count in
            Fuzzing.target(OctetString(copying: UnsafeRawBufferPointer(start: start, count: count)))
            return 0
        }
        exit(status)
    }

    /// Ends the run, with the present input as a finding, when a property does not hold.
    public static func require(_ holds: Bool, _ property: @autoclosure () -> String) {
        guard holds else { fatalError("property violated: \(property())") }
    }
}
