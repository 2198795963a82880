import CHarfBuzz
import Octets

/// A font with TrueType or CFF outlines, from which text is set and parts are embedded.
///
/// Unchecked: HarfBuzz's face and font are made immutable before the initialiser returns, and counts references and
/// caches in them with atomic operations.
public final class FontFace: @unchecked Sendable {
    /// The place where Debian's fonts-dejavu-core keeps a font with Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew
    /// and Arabic.
    public static let standardPath = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"

    private let face: OpaquePointer
    private let font: OpaquePointer
    private let outlines: FontSubset.Outlines
    /// "DejaVuSans".
    public let postScriptName: String
    /// All measures of the font are in thousandths of the font size, as PDF has them.
    public let metrics: Metrics

    public struct Metrics: Hashable, Sendable {
        /// Of the highest glyphs above the base line, and of the lowest below it (negative).
        public let ascent: Int
        public let descent: Int
        public let capHeight: Int
        /// Left, bottom, right and top of all glyphs laid over one another.
        public let bounds: [Int]
    }

    /// - Parameters:
    ///   - path: A TrueType or OpenType file, or a collection of such; it is mapped.
    ///   - index: Of the font in a collection.
    /// - Throws: ``FontError`` if the file is not a usable font.
    public init(path: String, index: Int = 0) throws(FontError) {
        guard let blob = hb_blob_create_from_file_or_fail(path) else {
            throw FontError("the font \(path) cannot be read; install the package fonts-dejavu-core")
        }
        defer { hb_blob_destroy(blob) }
        guard let face = hb_face_create(blob, UInt32(index)), let font = hb_font_create(face) else {
            throw FontError("no memory for the font \(path)")
        }
        self.face = face
        self.font = font
        outlines = Self.holds(face, charfbuzz_glyf) ? .trueType : .compact
        hb_font_set_scale(font, 1_000, 1_000)
        hb_face_make_immutable(face)
        hb_font_make_immutable(font)
        postScriptName = Self.postScriptName(face)
        metrics = Self.metrics(face, font)
        guard hb_face_get_glyph_count(face) > 1, outlines == .trueType || Self.holds(face, charfbuzz_cff) else {
            throw FontError("\(path) is no font with TrueType or CFF outlines")
        }
    }

    deinit {
        hb_font_destroy(font)
        hb_face_destroy(face)
    }

    private static func postScriptName(_ face: OpaquePointer) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        var count = UInt32(buffer.count)
        hb_ot_name_get_utf8(face, hb_ot_name_id_t(HB_OT_NAME_ID_POSTSCRIPT_NAME), nil, &count, &buffer)
        let letters = buffer.prefix(Int(min(count, 63))).map { UInt8(bitPattern: $0) }
            .filter { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        return letters.isEmpty ? "Font" : String(decoding: letters, as: UTF8.self)
    }

    private static func metrics(_ face: OpaquePointer, _ font: OpaquePointer) -> Metrics {
        var extents = hb_font_extents_t()
        hb_font_get_h_extents(font, &extents)
        var capHeight: hb_position_t = 0
        hb_ot_metrics_get_position_with_fallback(font, HB_OT_METRICS_TAG_CAP_HEIGHT, &capHeight)
        let bounds = table(face, charfbuzz_head) { head -> [Int] in
            guard head.count >= 44 else { return [0, 0, 0, 0] }
            let unitsPerEm = max(1, Int(head[18]) << 8 | Int(head[19]))
            return [36, 38, 40, 42].map { place in
                Int(Int16(bitPattern: UInt16(head[place]) << 8 | UInt16(head[place + 1]))) * 1_000 / unitsPerEm
            }
        }
        return Metrics(
            ascent: Int(extents.ascender), descent: Int(extents.descender), capHeight: Int(capHeight), bounds: bounds)
    }

    /// True if its maker allows documents to embed it, whole or in part (OS/2, fsType).
    public var allowsEmbedding: Bool {
        Self.table(face, charfbuzz_os2) { table in
            guard table.count >= 10 else { return true }
            let type = Int(table[8]) << 8 | Int(table[9])
            // Restricted, or not to be taken in part, or as a bitmap only.
            return type & 0x000F != 0x0002 && type & 0x0300 == 0
        }
    }

    private static func holds(_ face: OpaquePointer, _ tag: hb_tag_t) -> Bool { table(face, tag) { !$0.isEmpty } }

    private static func table<Value>(
        _ face: OpaquePointer, _ tag: hb_tag_t, _ body: (UnsafeRawBufferPointer) -> Value
    ) -> Value {
        let blob = hb_face_reference_table(face, tag)
        defer { hb_blob_destroy(blob) }
        var count: UInt32 = 0
        let start = hb_blob_get_data(blob, &count)
        return body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count)))
    }

    // MARK: Setting text

    /// Sets one piece of text in one direction, the one of its first strong character: letters are joined and marks
    /// placed as the script wants them.
    ///
    /// A character without glyph shows as U+FFFD, or as a question mark where the font has not even that.
    /// - Returns: The glyphs from left to right.
    public func set(_ text: String) -> SetText { set(text, font: 0) }

    /// - Parameter font: The number by which the glyphs refer to their font.
    func set(_ text: String, font number: Int) -> SetText {
        let scalars = text.unicodeScalars.map(replaced)
        guard let buffer = hb_buffer_create() else { return SetText(glyphs: [], isRightToLeft: false) }
        defer { hb_buffer_destroy(buffer) }
        hb_buffer_set_cluster_level(buffer, HB_BUFFER_CLUSTER_LEVEL_MONOTONE_CHARACTERS)
        hb_buffer_add_codepoints(buffer, scalars.map(\.value), Int32(scalars.count), 0, Int32(scalars.count))
        hb_buffer_guess_segment_properties(buffer)
        // One glyph for one letter keeps the text easy to search and copy. Scripts that require ligatures use other
        // features.
        var features = ["-liga", "-clig", "-dlig"].compactMap { text -> hb_feature_t? in
            var feature = hb_feature_t()
            return hb_feature_from_string(text, -1, &feature) != 0 ? feature : nil
        }
        hb_shape(font, buffer, &features, UInt32(features.count))
        let isRightToLeft = hb_buffer_get_direction(buffer) == HB_DIRECTION_RTL
        var count: UInt32 = 0
        let infos = UnsafeBufferPointer(start: hb_buffer_get_glyph_infos(buffer, &count), count: Int(count))
        let positions = UnsafeBufferPointer(start: hb_buffer_get_glyph_positions(buffer, &count), count: Int(count))
        // A cluster's text ends where the next higher cluster begins.
        let starts = Set(infos.map { Int($0.cluster) }).sorted() + [scalars.count]
        var ends: [Int: Int] = [:]
        for (start, end) in zip(starts, starts.dropFirst()) { ends[start] = end }
        var told: Set<Int> = []
        let glyphs = zip(infos, positions).map { info, position in
            let start = Int(info.cluster)
            var text = String.UnicodeScalarView()
            // The first glyph of a cluster stands for all its text, the others for none.
            if told.insert(start).inserted { text.append(contentsOf: scalars[start..<(ends[start] ?? start + 1)]) }
            return SetGlyph(
                glyph: info.codepoint, font: number, text: String(text), advance: Int(position.x_advance),
                width: Int(hb_font_get_glyph_h_advance(font, info.codepoint)), xOffset: Int(position.x_offset),
                yOffset: Int(position.y_offset))
        }
        return SetText(glyphs: glyphs, isRightToLeft: isRightToLeft)
    }

    private func replaced(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if hasGlyph(scalar) || scalar.properties.isDefaultIgnorableCodePoint { return scalar }
        return hasGlyph("\u{FFFD}") ? "\u{FFFD}" : "?"
    }

    /// Returns true if the font has a glyph of its own for `scalar`.
    public func hasGlyph(_ scalar: Unicode.Scalar) -> Bool {
        var glyph: hb_codepoint_t = 0
        return hb_font_get_nominal_glyph(font, scalar.value, &glyph) != 0
    }

    // MARK: Embedding

    /// Returns the part of the font that `glyphs` need, without hints, names and layout tables, which PDF does not
    /// use.
    /// - Throws: ``FontError`` if the font cannot be cut.
    public func subset(_ glyphs: Set<UInt32>) throws(FontError) -> FontSubset {
        guard let input = hb_subset_input_create_or_fail() else { throw FontError("no memory for a part of the font") }
        defer { hb_subset_input_destroy(input) }
        hb_subset_input_set_flags(
            input, HB_SUBSET_FLAGS_NO_HINTING.rawValue | HB_SUBSET_FLAGS_NOTDEF_OUTLINE.rawValue)
        let wanted = hb_subset_input_glyph_set(input)
        for glyph in glyphs { hb_set_add(wanted, glyph) }
        let dropped = hb_subset_input_set(input, HB_SUBSET_SETS_DROP_TABLE_TAG)
        for tag in ["GSUB", "GPOS", "GDEF", "kern", "name", "OS/2", "FFTM", "gasp"] {
            hb_set_add(dropped, hb_tag_from_string(tag, -1))
        }
        guard let plan = hb_subset_plan_create_or_fail(face, input) else {
            throw FontError("HarfBuzz cannot take a part of the font \(postScriptName)")
        }
        defer { hb_subset_plan_destroy(plan) }
        guard let part = hb_subset_plan_execute_or_fail(plan) else {
            throw FontError("HarfBuzz cannot take a part of the font \(postScriptName)")
        }
        defer { hb_face_destroy(part) }
        let mapping = hb_subset_plan_old_to_new_glyph_mapping(plan)
        var numbers: [UInt32: Int] = [:]
        for glyph in glyphs {
            let number = hb_map_get(mapping, glyph)
            guard number != charfbuzz_no_glyph, number <= 0xFFFF else {
                throw FontError("HarfBuzz left out a glyph of the font \(postScriptName)")
            }
            numbers[glyph] = Int(number)
        }
        let glyphCount = Int(hb_face_get_glyph_count(part))
        switch outlines {
        case .trueType:
            let blob = hb_face_reference_blob(part)
            defer { hb_blob_destroy(blob) }
            var count: UInt32 = 0
            guard let start = hb_blob_get_data(blob, &count), count > 0 else { throw emptyPart }
            return FontSubset(
                outlines: .trueType,
                octets: OctetString(copying: UnsafeRawBufferPointer(start: start, count: Int(count))),
                numbers: numbers, glyphCount: glyphCount)
        case .compact:
            // The closure of a C table cannot throw.
            let found = Self.table(part, charfbuzz_cff) { table -> (CompactOutlines, OctetString)? in
                table.isEmpty
                    ? nil : CompactOutlines(table, glyphCount: glyphCount).map { ($0, OctetString(copying: table)) }
            }
            guard let (compact, octets) = found else { throw emptyPart }
            if let identifiers = compact.identifiers {
                for (glyph, number) in numbers {
                    guard identifiers.indices.contains(number) else { throw emptyPart }
                    numbers[glyph] = identifiers[number]
                }
            }
            return FontSubset(outlines: .compact, octets: octets, numbers: numbers, glyphCount: glyphCount)
        }
    }

    private var emptyPart: FontError { FontError("HarfBuzz made an empty part of the font \(postScriptName)") }
}
