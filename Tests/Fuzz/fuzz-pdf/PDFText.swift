import Octets

/// A PDF written as text without offsets, which the input cannot get right by itself: objects as they stand in a file,
/// `trailer` and a dictionary, and `%%EOF` behind each revision. Cross-reference tables and what leads to them are
/// added.
///
/// A revision that begins with `%sign` is put behind a signature.
struct PDFText {
    private let revisions: [ArraySlice<UInt8>]

    /// - Returns: nil for what is a PDF itself.
    init?(_ octets: OctetString) {
        guard !octets.prefix(1_024).contains(sequence: Array("%PDF-".utf8)) else { return nil }
        var revisions: [ArraySlice<UInt8>] = []
        var rest = octets.array[...]
        while let end = rest.firstRange(of: Array("%%EOF\n".utf8)), revisions.count < 8 {
            revisions.append(rest[..<end.lowerBound])
            rest = rest[end.upperBound...]
        }
        self.revisions = revisions + [rest]
    }

    /// The whole file.
    /// - Parameter sign: Puts a signature behind a file; gives it back as it is where that cannot be done.
    func written(sign: (OctetString) -> OctetString) -> OctetString {
        var file = OctetString("%PDF-1.7\n%\u{E2}\u{E3}\u{CF}\u{D3}\n")
        for revision in revisions where !revision.isEmpty {
            if revision.starts(with: "%sign".utf8) { file = sign(file) }
            file = OctetString(Self.added(revision, to: file.array))
        }
        return file
    }

    private static func added(_ revision: ArraySlice<UInt8>, to file: [UInt8]) -> [UInt8] {
        let previous = lastStart(of: file)
        var file = file
        var entries: [(number: Int, offset: Int)] = []
        let trailerMark = Array("trailer".utf8)
        let trailer = revision.firstRange(of: trailerMark)
        var start = revision.startIndex
        let end = trailer?.lowerBound ?? revision.endIndex
        while start < end {
            let lineEnd = revision[start..<end].firstIndex(of: 0x0A).map { $0 + 1 } ?? end
            if let number = objectNumber(of: revision[start..<lineEnd]) { entries.append((number, file.count)) }
            file += revision[start..<lineEnd]
            start = lineEnd
        }
        let table = file.count
        file += Array("xref\n0 1\n0000000000 65535 f \n".utf8)
        for entry in entries {
            let offset = String(entry.offset)
            file += Array(
                "\(entry.number) 1\n\(String(repeating: "0", count: 10 - offset.count))\(offset) 00000 n \n".utf8)
        }
        let size = (entries.map(\.number).max() ?? 0) + 32
        file += Array("trailer\n<< /Size \(size) \(previous.map { "/Prev \($0) " } ?? "")".utf8)
        let dictionary = trailer.map { revision[$0.upperBound...] } ?? []
        file +=
            dictionary.firstRange(of: Array("<<".utf8)).map { dictionary[$0.upperBound...] } ?? Array(">>\n".utf8)[...]
        return file + Array("\nstartxref\n\(table)\n%%EOF\n".utf8)
    }

    /// The number in a line like `12 0 obj`.
    private static func objectNumber(of line: ArraySlice<UInt8>) -> Int? {
        let words = line.split { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D }
        guard words.count >= 3, words[2].starts(with: "obj".utf8), words[0].count <= 7 else { return nil }
        return Int(String(decoding: words[0], as: UTF8.self))
    }

    /// Returns the offset in the last `startxref`.
    private static func lastStart(of file: [UInt8]) -> Int? {
        let mark = Array("startxref".utf8)
        guard file.count > mark.count else { return nil }
        var start = file.count - mark.count
        while start > 0 {
            if file[start...].starts(with: mark) {
                let digits = file[(start + mark.count)...].drop { $0 <= 0x20 }.prefix { (0x30...0x39).contains($0) }
                return Int(String(decoding: digits, as: UTF8.self))
            }
            start -= 1
        }
        return nil
    }
}

extension Sequence<UInt8> {
    fileprivate func contains(sequence wanted: [UInt8]) -> Bool { Array(self).firstRange(of: wanted) != nil }
}
