import CICU

/// Text as a person reads it: two texts that look the same, or that a machine takes for the same, are equal afterwards.
///
/// The tables are ICU's, which is data within the library: nothing here opens a file or asks for a locale.
public enum LookAlikes {
    /// The text in NFKC, without case and without characters that show nothing (`NFKC_Casefold`, Unicode §5.18 and
    /// UAX 31): full-width letters, ligatures and composed accents become what they stand for.
    public static func folded(_ text: some StringProtocol) -> String {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.lowercased() }
        guard let normaliser = cicu_nfkc_casefold() else { return text.lowercased() }
        return Self.converted(text) { cicu_normalise(normaliser, $0, $1, $2, $3) } ?? text.lowercased()
    }

    /// The skeleton of the text (UTS 39 §4), for comparison only. Letters of other scripts that look like Latin ones
    /// become those. A digit one and a capital I become an l. Marks above and below letters are left out.
    public static func skeleton(_ text: some StringProtocol) -> String {
        guard let checker = Checker.shared.handle,
            let skeleton = converted(text, { cicu_skeleton(checker, $0, $1, $2, $3) })
        else { return String(text) }
        return String(
            String.UnicodeScalarView(
                skeleton.unicodeScalars.filter { scalar in
                    if scalar.isASCII { return true }
                    switch scalar.properties.generalCategory {
                    case .nonspacingMark, .enclosingMark: return false
                    default: return true
                    }
                }))
    }

    /// Opened once and never closed. ICU documents a checker that is not changed as safe to use from any thread.
    private final class Checker: @unchecked Sendable {
        static let shared = Checker()
        let handle: OpaquePointer?

        private init() { handle = cicu_open_checker() }
    }

    /// - Parameter convert: Source and its length, target and its capacity; gives the length needed, or -1.
    /// - Returns: nil where ICU refuses, which it does for want of memory alone.
    private static func converted(
        _ text: some StringProtocol,
        _ convert: (UnsafePointer<UInt16>, Int32, UnsafeMutablePointer<UInt16>?, Int32) -> Int32
    ) -> String? {
        let source = Array(text.utf16)
        guard !source.isEmpty else { return "" }
        guard let count = Int32(exactly: source.count) else { return nil }
        return source.withUnsafeBufferPointer { source -> String? in
            guard let base = source.baseAddress else { return nil }
            var target = [UInt16](repeating: 0, count: source.count + source.count / 2 + 16)
            for _ in 0..<2 {
                let needed = target.withUnsafeMutableBufferPointer {
                    convert(base, count, $0.baseAddress, Int32(clamping: $0.count))
                }
                guard needed >= 0 else { return nil }
                if Int(needed) <= target.count { return String(decoding: target[..<Int(needed)], as: UTF16.self) }
                target = [UInt16](repeating: 0, count: Int(needed))
            }
            return nil
        }
    }
}
