import Octets

/// Filters of content streams besides FlateDecode (ISO 32000-1 §7.4); those of pictures are not among them.
enum StreamFilters {
    /// Undoes one filter.
    /// - Throws: ``PDFSyntaxError``: damaged, `unsupported` for a filter that is not known here, or `tooComplex`.
    static func undone(
        _ filter: String, _ octets: [UInt8], _ parameters: PDFDictionary, limit: Int, budget: WorkBudget
    ) throws(PDFSyntaxError) -> [UInt8] {
        try budget.spend(octets.count)
        switch filter {
        case "FlateDecode", "Fl":
            var plain = PDFDictionary()
            plain.set("Filter", .name("FlateDecode"))
            plain.set("DecodeParms", .dictionary(parameters))
            return try StreamData.decoded(OctetString(octets), plain, limit: limit, budget: budget)
        case "ASCIIHexDecode", "AHx": return try hexadecimal(octets)
        case "ASCII85Decode", "A85": return try base85(octets)
        case "RunLengthDecode", "RL": return try runs(octets, limit: limit)
        case "LZWDecode", "LZW":
            guard parameters["Predictor"].integer ?? 1 == 1 else {
                throw PDFSyntaxError(.unsupported, "LZW with a predictor is not read")
            }
            return try lzw(octets, isEarly: parameters["EarlyChange"].integer ?? 1 == 1, limit: limit)
        default: throw PDFSyntaxError(.unsupported, "the filter \(filter) is not read")
        }
    }

    /// §7.4.2.
    private static func hexadecimal(_ octets: [UInt8]) throws(PDFSyntaxError) -> [UInt8] {
        var result: [UInt8] = []
        var high: UInt8?
        for octet in octets {
            if octet == UInt8(ascii: ">") { break }
            if PDFLexer.isBlank(octet) { continue }
            guard let digit = PDFLexer.hexadecimalDigit(octet) else { throw .damaged("an odd hexadecimal digit") }
            if let first = high {
                result.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        if let high { result.append(high << 4) }
        return result
    }

    /// §7.4.3.
    private static func base85(_ octets: [UInt8]) throws(PDFSyntaxError) -> [UInt8] {
        var result: [UInt8] = []
        var group: [UInt32] = []
        func leading(_ group: [UInt32], _ count: Int) throws(PDFSyntaxError) -> [UInt8] {
            let value = group.reduce(UInt64(0)) { $0 * 85 + UInt64($1) }
            guard value <= UInt64(UInt32.max) else { throw .damaged("a group of base 85 that is too large") }
            return [24, 16, 8, 0].prefix(count).map { UInt8(truncatingIfNeeded: value >> UInt64($0)) }
        }
        for octet in octets where !PDFLexer.isBlank(octet) {
            if octet == UInt8(ascii: "~") { break }
            if octet == UInt8(ascii: "z"), group.isEmpty {
                result += [0, 0, 0, 0]
                continue
            }
            guard (0x21...0x75).contains(octet) else { throw .damaged("an odd digit of base 85") }
            group.append(UInt32(octet) - 0x21)
            if group.count == 5 {
                result += try leading(group, 4)
                group = []
            }
        }
        if group.count == 1 { throw .damaged("a lone digit of base 85") }
        if !group.isEmpty {
            let count = group.count - 1
            result += try leading(group + [UInt32](repeating: 84, count: 5 - group.count), count)
        }
        return result
    }

    /// §7.4.5.
    private static func runs(_ octets: [UInt8], limit: Int) throws(PDFSyntaxError) -> [UInt8] {
        var result: [UInt8] = []
        var place = 0
        while place < octets.count, octets[place] != 128 {
            let length = Int(octets[place])
            place += 1
            if length < 128 {
                guard place + length < octets.count else { throw .damaged("a run that ends too early") }
                result += octets[place...(place + length)]
                place += length + 1
            } else {
                guard place < octets.count else { throw .damaged("a run that ends too early") }
                result += [UInt8](repeating: octets[place], count: 257 - length)
                place += 1
            }
            guard result.count <= limit else { throw tooLarge(limit) }
        }
        return result
    }

    /// §7.4.4.2.
    private static func lzw(_ octets: [UInt8], isEarly: Bool, limit: Int) throws(PDFSyntaxError) -> [UInt8] {
        var result: [UInt8] = []
        var table: [Range<Int>] = []
        var previous: Range<Int>?
        var width = 9
        var bits: UInt32 = 0
        var count = 0
        for octet in octets {
            bits = bits << 8 | UInt32(octet)
            count += 8
            guard count >= width else { continue }
            let code = Int(bits >> UInt32(count - width)) & ((1 << width) - 1)
            count -= width
            bits &= (1 << UInt32(count)) - 1
            if code == 257 { return result }
            if code == 256 {
                (table, previous, width) = ([], nil, 9)
                continue
            }
            let begin = result.count
            if code < 256 {
                result.append(UInt8(code))
            } else if code - 258 < table.count {
                result += Array(result[table[code - 258]])
            } else {
                guard let last = previous, code - 258 == table.count else { throw .damaged("an odd code of LZW") }
                result += Array(result[last]) + [result[last.lowerBound]]
            }
            guard result.count <= limit else { throw tooLarge(limit) }
            // The previous octets and the first octet of the present ones stand there in one piece.
            if let last = previous, table.count < 4_096 - 258 { table.append(last.lowerBound..<last.upperBound + 1) }
            previous = begin..<result.count
            let next = table.count + 258 + (isEarly ? 1 : 0) + 1
            width = next > 2_048 ? 12 : next > 1_024 ? 11 : next > 512 ? 10 : 9
        }
        return result
    }

    private static func tooLarge(_ limit: Int) -> PDFSyntaxError {
        PDFSyntaxError(.tooComplex, "a stream of more than \(limit) octets")
    }
}

extension PDFFile {
    /// Of one content stream, decoded.
    private static let maximumContentSize = 32 << 20

    /// The decoded data of the stream `object`.
    /// - Throws: ``PDFSyntaxError``: `encrypted`, `unsupported` for the filters of pictures, damaged or `tooComplex`.
    package func content(of object: IndirectObject, in revision: Int) throws(PDFSyntaxError) -> [UInt8] {
        guard let data = object.stream, let dictionary = object.value.dictionary else {
            throw .damaged("object \(object.reference.number) is no stream")
        }
        guard sections[revision].trailer["Encrypt"] == .null else {
            throw PDFSyntaxError(.encrypted, "the document is encrypted")
        }
        func list(_ value: PDFValue) throws(PDFSyntaxError) -> [PDFValue] {
            let value = try resolved(value, in: revision)
            if value == .null { return [] }
            return value.array ?? [value]
        }
        let filters = try list(dictionary["Filter"])
        let parameters = try list(dictionary["DecodeParms"])
        guard filters.count <= 4, dictionary["F"] == .null else {
            throw PDFSyntaxError(.unsupported, "a stream with many filters, or in another file")
        }
        var octets = document.slice(data).array
        try budget.spend(octets.count)
        for (index, filter) in filters.enumerated() {
            guard let name = try resolved(filter, in: revision).name else { throw .damaged("a filter without a name") }
            let given = index < parameters.count ? try resolved(parameters[index], in: revision) : .null
            octets = try StreamFilters.undone(
                name, octets, given.dictionary ?? PDFDictionary(), limit: Self.maximumContentSize, budget: budget)
        }
        return octets
    }
}
