/// One cross-reference section with its trailer: what one update of the file says (ISO 32000-1 §7.5.4, §7.5.8).
package struct CrossReferenceSection: Sendable {
    /// The place of an object.
    package enum Entry: Hashable, Sendable {
        case free
        /// In the file at this offset. Half words: a large document has a million of these.
        case offset(Int32, generation: Int32)
        /// In the object stream of the number `stream`, the `index`th there.
        case compressed(stream: Int32, index: Int32)
    }

    /// The offset of `xref` or the cross-reference stream, as startxref and /Prev give it.
    package let offset: Int
    /// From there to behind the trailer or the stream's `endobj`.
    package let extent: Range<Int>
    package let trailer: PDFDictionary
    /// The number of the cross-reference stream; nil for a table.
    package let streamNumber: Int?
    /// Object numbers and their places. Those of a hybrid file's additional stream (§7.5.8.4) replace the free ones.
    package internal(set) var entries: [Int32: Entry]
    package var isHybrid: Bool { trailer["XRefStm"] != .null }
}
