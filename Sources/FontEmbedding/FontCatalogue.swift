import CFontconfig
import Synchronization

/// The fonts that are installed on this machine, as fontconfig knows them.
///
/// Unchecked: fontconfig's configuration is made before the initialiser returns, and its functions may be called from
/// many threads at a time.
final class FontCatalogue: @unchecked Sendable {
    private let configuration: OpaquePointer?

    init() { configuration = FcInitLoadConfigAndFonts() }

    deinit { if let configuration { FcConfigDestroy(configuration) } }

    struct Entry: Hashable {
        let path: String
        /// Of the font in a collection.
        let index: Int
    }

    /// The fonts with a glyph for `scalar`, the plainest first: upright, of usual weight, without serifs. Those with
    /// TrueType outlines come before those with CFF outlines. The order depends on the installed fonts alone.
    func fonts(for scalar: Unicode.Scalar) -> [Entry] {
        guard let configuration, let set = cfontconfig_fonts(configuration, scalar.value) else { return [] }
        defer { FcFontSetDestroy(set) }
        var found: [(rank: Int, family: String, entry: Entry)] = []
        for place in 0..<Int(set.pointee.nfont) {
            guard let font = set.pointee.fonts[place], let file = cfontconfig_string(font, FC_FILE) else { continue }
            let format = cfontconfig_string(font, FC_FONTFORMAT).map { String(cString: $0) }
            guard format == "TrueType" || format == "CFF" else { continue }
            let family = cfontconfig_string(font, FC_FAMILY).map { String(cString: $0) } ?? ""
            let weight = Int(cfontconfig_integer(font, FC_WEIGHT, FC_WEIGHT_REGULAR))
            let slant = Int(cfontconfig_integer(font, FC_SLANT, FC_SLANT_ROMAN))
            let spacing = Int(cfontconfig_integer(font, FC_SPACING, FC_PROPORTIONAL))
            var rank = abs(weight - Int(FC_WEIGHT_REGULAR)) + 4 * slant
            if format == "CFF" { rank += 10_000 }
            if spacing == Int(FC_MONO) { rank += 50 }
            if family.contains("Serif") { rank += 20 }
            if !family.contains("Sans") { rank += 10 }
            let index = Int(cfontconfig_integer(font, FC_INDEX, 0)) & 0xFFFF
            found.append((rank, family, Entry(path: String(cString: file), index: index)))
        }
        return found.sorted { ($0.rank, $0.family, $0.entry.path) < ($1.rank, $1.family, $1.entry.path) }.map(\.entry)
    }
}
