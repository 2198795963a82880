import Octets
import PDFStructure

/// The octets appended to a document: objects, and cross-references of the same kind as the document's last ones (ISO
/// 32000-1 §7.5.6).
struct IncrementalUpdate {
    private let source: SigningSource
    private var bodies: [IndirectReference: [UInt8]] = [:]
    /// Numbers for new objects, the next one last.
    private var freeNumbers: [Int]
    /// One more than the highest number in use.
    private var size: Int

    /// More than a signature needs, with a stamp in many fonts.
    static let maximumObjects = 128

    /// The octets of the update, and where objects begin in it.
    struct Written {
        var octets: [UInt8]
        /// Offsets in `octets` of each object's body, behind `obj` and its line end.
        let bodies: [IndirectReference: Int]
    }

    /// - Parameter freeNumbers: Ascending, from the source's ``SigningSource/firstFreeNumber`` on; as many as there
    ///   will be objects, cross-references among them.
    init(_ source: SigningSource, freeNumbers: [Int]) {
        self.source = source
        self.freeNumbers = freeNumbers.reversed()
        size = source.firstFreeNumber
    }

    /// A number for a new object, which must be set before ``written(identifier:)``.
    mutating func reserve() -> IndirectReference {
        let number = freeNumbers.popLast() ?? size
        size = number + 1
        return IndirectReference(number: number, generation: 0)
    }

    mutating func add(_ body: [UInt8]) -> IndirectReference {
        let reference = reserve()
        bodies[reference] = body
        return reference
    }

    /// Gives an object this body, in place of the one it had, if it had one.
    mutating func set(_ reference: IndirectReference, _ body: [UInt8]) { bodies[reference] = body }

    mutating func written() -> Written {
        // No other revision has this identifier (§14.4).
        var generator = SystemRandomNumberGenerator()
        let identifier = (0..<16).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let begin = source.document.count
        var octets: [UInt8] = []
        if let last = source.document.last, last != 0x0A, last != 0x0D { octets.append(0x0A) }
        var places: [IndirectReference: Int] = [:]
        var offsets: [(reference: IndirectReference, offset: Int)] = []
        for (reference, body) in bodies.sorted(by: { $0.key.number < $1.key.number }) {
            offsets.append((reference, begin + octets.count))
            octets += Array("\(reference.number) \(reference.generation) obj\n".utf8)
            places[reference] = octets.count
            octets += body
            octets += Array("\nendobj\n".utf8)
        }
        let start = begin + octets.count
        if source.hasTable {
            octets += Self.table(offsets)
            let trailer = trailer(size: size, identifier: identifier)
            octets += Array("trailer\n".utf8) + PDFSyntax.dictionary(trailer)
        } else {
            let own = reserve()
            offsets.append((own, start))
            var trailer = trailer(size: size, identifier: identifier)
            trailer.merge(Self.streamEntries(offsets)) { $1 }
            octets += Array("\(own.number) 0 obj\n".utf8)
            octets += PDFSyntax.stream(trailer, Self.streamData(offsets))
            octets += Array("\nendobj".utf8)
        }
        octets += Array("\nstartxref\n\(start)\n%%EOF\n".utf8)
        return Written(octets: octets, bodies: places)
    }

    /// The former trailer's entries (§7.5.6), without those that speak of its own section.
    private func trailer(size: Int, identifier: [UInt8]) -> [String: [UInt8]] {
        var entries = source.trailer.entries.filter { !Self.sectionKeys.contains($0.key) }.mapValues(PDFSyntax.value)
        entries["Size"] = Array("\(size)".utf8)
        entries["Prev"] = Array("\(source.file.sections[0].offset)".utf8)
        let new = PDFSyntax.hexadecimalString(identifier)
        let former = source.trailer["ID"].array.flatMap { $0.count == 2 && $0[0].string != nil ? $0[0] : nil }
        entries["ID"] = PDFSyntax.array([former.map(PDFSyntax.value) ?? new, new])
        return entries
    }

    private static let sectionKeys: Set<String> = [
        "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms",
        "DL",
    ]

    // MARK: Cross-references

    private typealias Offsets = [(reference: IndirectReference, offset: Int)]

    /// Ranges of consecutive numbers.
    private static func runs(_ offsets: Offsets) -> [ArraySlice<(reference: IndirectReference, offset: Int)>] {
        var runs: [ArraySlice<(reference: IndirectReference, offset: Int)>] = []
        var begin = 0
        for index in offsets.indices {
            let isLast = index + 1 == offsets.count
            if isLast || offsets[index + 1].reference.number != offsets[index].reference.number + 1 {
                runs.append(offsets[begin...index])
                begin = index + 1
            }
        }
        return runs
    }

    /// §7.5.4: entries of exactly 20 octets.
    private static func table(_ offsets: Offsets) -> [UInt8] {
        func padded(_ value: Int, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        var text = "xref\n"
        for run in runs(offsets) {
            text += "\(run.first?.reference.number ?? 0) \(run.count)\n"
            for entry in run { text += "\(padded(entry.offset, 10)) \(padded(entry.reference.generation, 5)) n \n" }
        }
        return Array(text.utf8)
    }

    /// §7.5.8.2.
    private static func streamEntries(_ offsets: Offsets) -> [String: [UInt8]] {
        let index = runs(offsets).map { "\($0.first?.reference.number ?? 0) \($0.count)" }
        return [
            "Type": Array("/XRef".utf8), "W": Array("[1 4 2]".utf8),
            "Index": Array("[\(index.joined(separator: " "))]".utf8),
        ]
    }

    private static func streamData(_ offsets: Offsets) -> [UInt8] {
        offsets.flatMap { entry -> [UInt8] in
            let offset = UInt32(entry.offset)
            let generation = UInt16(entry.reference.generation)
            return [1] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: offset >> UInt32($0)) }
                + [UInt8(generation >> 8), UInt8(generation & 0xFF)]
        }
    }
}
