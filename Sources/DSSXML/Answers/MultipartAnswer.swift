import Octets

/// Content-IDs and the parameters of a content type, as multipart answers need them (RFC 2387, RFC 2392).
enum ContentID {
    /// An identifier without its angle brackets.
    static func bare(_ text: String) -> String {
        let text = text.filter { !$0.isWhitespace }
        return text.hasPrefix("<") && text.hasSuffix(">") ? String(text.dropFirst().dropLast()) : text
    }

    /// With the percent escapes of a cid URL undone.
    static func decoded(_ text: String) -> String {
        let digits = Array(text.utf8)
        var octets: [UInt8] = []
        var index = 0
        while index < digits.count {
            if digits[index] == UInt8(ascii: "%"), index + 2 < digits.count,
                let value = UInt8(String(decoding: digits[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                octets.append(value)
                index += 3
            } else {
                octets.append(digits[index])
                index += 1
            }
        }
        return bare(String(decoding: octets, as: UTF8.self))
    }

    /// The value of a parameter of a Content-Type; case of the name does not count.
    static func parameter(_ name: String, of contentType: String) -> String? {
        var rest = contentType.drop { $0 != ";" }.dropFirst()
        while !rest.isEmpty {
            rest = rest.drop { $0.isWhitespace || $0 == ";" }
            let key = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest.dropFirst(key.count)
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst().drop { $0.isWhitespace }
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let next = rest.first, next != "\"" {
                    rest = rest.dropFirst()
                    if next == "\\", let escaped = rest.first {
                        value.append(escaped)
                        rest = rest.dropFirst()
                    } else {
                        value.append(next)
                    }
                }
                rest = rest.dropFirst()
            } else {
                value = String(rest.prefix { $0 != ";" && !$0.isWhitespace })
                rest = rest.dropFirst(value.count)
            }
            let trimmed = key.filter { !$0.isWhitespace }
            if trimmed.lowercased() == name { return value }
        }
        return nil
    }
}

/// Divides a multipart/related body while it arrives: the root part is passed to the reader of XML, the others into
/// collectors.
struct MultipartAnswer {
    enum Fault: Error {
        case malformed(String)
        case storage(OctetCollectionError)
    }

    private enum State { case preamble, header, part, epilogue }
    private enum Sink {
        case root
        case collector(any OctetCollector, id: String)
    }

    private static let maximumParts = 32
    private static let maximumHeaderLength = 16_384

    /// LF, two hyphens and the boundary; a CR before belongs to it too.
    private let delimiter: [UInt8]
    private let rootID: String?
    private let answers: any OctetCollectorMaking
    private var state = State.preamble
    /// Octets that could still become a delimiter, or the header so far.
    private var pending: [UInt8] = [0x0A]
    private var sink: Sink?
    private var decoder: Base64Decoder?
    private var parts = 0
    private var hasRoot = false
    private(set) var collected: [String: OctetString] = [:]

    var isComplete: Bool { state == .epilogue && hasRoot }

    /// nil when the content type has no usable boundary.
    init?(contentType: String, answers: any OctetCollectorMaking) {
        guard let boundary = ContentID.parameter("boundary", of: contentType), (1...200).contains(boundary.utf8.count)
        else { return nil }
        delimiter = [0x0A] + Array("--\(boundary)".utf8)
        rootID = ContentID.parameter("start", of: contentType).map(ContentID.bare)
        self.answers = answers
    }

    /// - Parameter root: Gets the octets of the root part.
    mutating func feed(_ octets: UnsafeRawBufferPointer, root: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
        pending.append(contentsOf: octets)
        var taken = 0
        while state != .epilogue {
            let before = (taken, state)
            switch state {
            case .preamble, .part: try passPart(&taken, root)
            case .header: try passHeader(&taken)
            case .epilogue: break
            }
            if before == (taken, state) { break }
        }
        pending.removeFirst(state == .epilogue ? pending.count : taken)
    }

    /// Gives out what belongs to the part, up to its delimiter or to what may be the beginning of one.
    private mutating func passPart(
        _ taken: inout Int, _ root: (UnsafeRawBufferPointer) -> Void
    ) throws(Fault) {
        guard let found = delimiterOffset(from: taken) else {
            let kept = delimiter.count + 4
            let end = max(taken, pending.count - kept)
            try give(taken..<end, root)
            taken = end
            return
        }
        let after = found + delimiter.count
        guard after + 2 <= pending.count else { return }
        let end = found > taken && pending[found - 1] == 0x0D ? found - 1 : found
        try give(taken..<end, root)
        try endPart(root)
        let isLast = pending[after] == UInt8(ascii: "-") && pending[after + 1] == UInt8(ascii: "-")
        state = isLast ? .epilogue : .header
        taken = after
    }

    /// The delimiter, unless it is only the beginning of a longer line.
    private func delimiterOffset(from start: Int) -> Int? {
        pending.withUnsafeBytes { octets in
            delimiter.withUnsafeBytes { delimiter in
                var cursor = start
                while let lineFeed = octets.firstOffset(of: 0x0A, from: cursor) {
                    if octets.holds(delimiter, at: lineFeed) {
                        let after = lineFeed + delimiter.count
                        guard after < octets.count else { return lineFeed }
                        if [0x0D, 0x0A, 0x20, 0x09, 0x2D].contains(octets[after]) { return lineFeed }
                    }
                    cursor = lineFeed + 1
                }
                return nil
            }
        }
    }

    private mutating func passHeader(_ taken: inout Int) throws(Fault) {
        var lines: [String] = []
        var cursor = taken
        while let lineFeed = pending[cursor...].firstIndex(of: 0x0A) {
            var line = String(decoding: pending[cursor..<lineFeed], as: UTF8.self)
            if line.hasSuffix("\r") { line.removeLast() }
            cursor = lineFeed + 1
            // The first line is the rest of the delimiter's.
            if line.isEmpty, !lines.isEmpty {
                try beginPart(lines)
                // The line feed stays: a delimiter may follow at once.
                taken = lineFeed
                isAtStart = true
                state = .part
                return
            }
            lines.append(line)
        }
        guard pending.count - taken <= Self.maximumHeaderLength else {
            throw .malformed("the header of a part has more than \(Self.maximumHeaderLength) octets")
        }
    }

    /// True if the next octet is the line feed that ended the header.
    private var isAtStart = false

    private mutating func beginPart(_ lines: [String]) throws(Fault) {
        parts += 1
        guard parts <= Self.maximumParts else {
            throw .malformed("the answer has more than \(Self.maximumParts) parts")
        }
        var id = ""
        var encoding = ""
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...]
            switch line[..<colon].lowercased() {
            case "content-id": id = ContentID.bare(String(value))
            case "content-transfer-encoding": encoding = value.filter { !$0.isWhitespace }.lowercased()
            default: break
            }
        }
        switch encoding {
        case "", "binary", "8bit", "7bit": decoder = nil
        case "base64": decoder = Base64Decoder()
        default: throw .malformed("a part has the transfer encoding \(PlainText.line(encoding, limit: 40))")
        }
        if !hasRoot, rootID.map({ $0 == id }) ?? true {
            hasRoot = true
            sink = .root
        } else {
            do throws(OctetCollectionError) {
                sink = .collector(try answers.makeCollector(), id: id)
            } catch {
                throw .storage(error)
            }
        }
    }

    private mutating func give(_ range: Range<Int>, _ root: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
        var range = range
        if isAtStart, !range.isEmpty {
            range = range.lowerBound + 1..<range.upperBound
            isAtStart = false
        }
        guard sink != nil, !range.isEmpty else { return }
        guard decoder != nil else {
            let octets = pending
            return try octets.withOctets { (buffer) throws(Fault) in try pass(buffer.part(range), root) }
        }
        var decoded: [UInt8] = []
        pending[range].withUnsafeBytes { decoder?.decode($0, into: &decoded) }
        try decoded.withOctets { (buffer) throws(Fault) in try pass(buffer, root) }
    }

    private mutating func pass(
        _ octets: UnsafeRawBufferPointer, _ root: (UnsafeRawBufferPointer) -> Void
    ) throws(Fault) {
        guard !octets.isEmpty else { return }
        switch sink {
        case .root: root(octets)
        case .collector(var collector, let id):
            // Held twice, what was collected would be copied by the next octet.
            sink = nil
            do throws(OctetCollectionError) { try collector.append(octets) } catch { throw .storage(error) }
            sink = .collector(collector, id: id)
        case nil: break
        }
    }

    private mutating func endPart(_ root: (UnsafeRawBufferPointer) -> Void) throws(Fault) {
        isAtStart = false
        if decoder != nil {
            var rest: [UInt8] = []
            decoder?.finish(into: &rest)
            try rest.withOctets { (buffer) throws(Fault) in try pass(buffer, root) }
            if let fault = decoder?.fault { throw .malformed("a part is not clean base64: \(fault)") }
        }
        if case .collector(var collector, let id) = sink {
            do throws(OctetCollectionError) {
                if collected[id] == nil { collected[id] = try collector.finish() }
            } catch {
                throw .storage(error)
            }
        }
        sink = nil
        decoder = nil
    }
}
