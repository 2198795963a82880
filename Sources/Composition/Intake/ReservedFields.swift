import DomainNames
import InternetMessage
import Octets

/// Finds header fields that only we may write, in whatever way some reader takes the header apart.
///
/// Our own reader ends a header at the first line that is not a field, and a line at a LF. Other readers go on up to an
/// empty line, end a line at a CR alone or at another control character, join a name that is folded before its colon,
/// or leave out characters within a name. Everything that any of them could take for a field of ours is found here.
struct ReservedFields {
    /// The reserved names besides `X-SES-*`.
    struct Names {
        /// The identifier of our Authentication-Results fields; nil if these are allowed in the header.
        var authservID: String?
        /// The organisation's domains, for which no other server speaks about S/MIME.
        var domains: [CanonicalDomain] = []
        /// True if blind recipients must not be visible.
        var bcc = false
    }

    /// A stretch of octets that goes, with its line end.
    struct Finding {
        var range: Range<Int>
        /// The field's name as written.
        let name: String
        let reason: String
    }

    let names: Names

    /// Returns the ranges to be removed from `message` so that no reader finds a reserved field any more, in order,
    /// without overlaps.
    func findings(in message: OctetString) -> [Finding] {
        let end = message.withUnsafeBytes(Self.endOfHeader)
        var octets = message.slice(0..<end).array
        var found: [Finding] = []
        /// The places of the remaining octets, once some were removed.
        var places: [Int]?
        // A removal could bring together octets that were apart, so the search is repeated until nothing is found.
        // Whole lines bring nothing together, so an attacker cannot keep it going.
        for round in 0... {
            let next = octets.withUnsafeBytes { octets in
                let next = search(octets)
                return Self.merged(round < Self.maximumRounds ? next : next.map { Self.wholeLines(of: $0, octets) })
            }
            guard !next.isEmpty else { break }
            let stood = places ?? Array(0..<octets.count)
            for finding in next {
                var original = finding
                original.range = stood[finding.range.lowerBound]..<(stood[finding.range.upperBound - 1] + 1)
                found.append(original)
            }
            let taken = next.map(\.range)
            octets = Self.kept(of: octets, without: taken)
            places = Self.kept(of: stood, without: taken)
        }
        return Self.merged(found)
    }

    private static let maximumRounds = 8

    /// - Parameter ranges: In order, without overlaps.
    private static func kept<Element>(of all: [Element], without ranges: [Range<Int>]) -> [Element] {
        var kept: [Element] = []
        kept.reserveCapacity(all.count)
        var start = 0
        for range in ranges {
            kept += all[start..<range.lowerBound]
            start = range.upperBound
        }
        return kept + all[start...]
    }

    private static func wholeLines(of finding: Finding, _ octets: UnsafeRawBufferPointer) -> Finding {
        var start = finding.range.lowerBound
        while start > 0 {
            let isStart = octets[start - 1] == 0x0A && octets[start] != 0x20 && octets[start] != 0x09
            if isStart { break }
            start -= 1
        }
        var whole = finding
        let end = endOfField(octets, finding.range.upperBound - 1) { $0 == 0x0A }
        whole.range = start..<end
        return whole
    }

    /// Returns the end of the header for the reader that goes on longest: before the first empty line after any
    /// content.
    static func endOfHeader(_ message: UnsafeRawBufferPointer) -> Int {
        var start = 0
        // A byte order mark and empty lines before the first field are read over.
        if message.count > 2, message[0] == 0xEF, message[1] == 0xBB, message[2] == 0xBF { start = 3 }
        while start < message.count, message[start] == 0x0A || message[start] == 0x0D { start += 1 }
        while start < message.count {
            let lineFeed = message.firstOffset(of: 0x0A, from: start) ?? message.count
            var end = lineFeed
            while end > start, message[end - 1] == 0x0D { end -= 1 }
            if end == start { return start }
            start = min(lineFeed + 1, message.count)
        }
        return message.count
    }

    // MARK: - Lines

    private func search(_ octets: UnsafeRawBufferPointer) -> [Finding] {
        var found = search(octets, endsLine: { $0 == 0x0A })
        found += search(octets, endsLine: Self.endsLineForSome)
        return found
    }

    /// LF, CR and the other characters at which a line ends for some reader; 0x85 is NEL in ISO 8859-1, and the last
    /// octet of NEL in UTF-8. A NUL ends a string.
    private static func endsLineForSome(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x0A...0x0D, 0x1C...0x1E, 0x00, 0x85: true
        default: false
        }
    }

    private func search(_ octets: UnsafeRawBufferPointer, endsLine: (UInt8) -> Bool) -> [Finding] {
        var found: [Finding] = []
        var start = 0
        while start < octets.count {
            let end = Self.endOfField(octets, start, endsLine: endsLine)
            if let (name, reason) = judge(octets, start..<end) {
                found.append(Finding(range: Self.removed(octets, start..<end), name: name, reason: reason))
            }
            start = end
        }
        return found
    }

    /// Behind the line that begins at `start`, and those that continue it.
    private static func endOfField(
        _ octets: UnsafeRawBufferPointer, _ start: Int, endsLine: (UInt8) -> Bool
    ) -> Int {
        var index = start
        while index < octets.count {
            let octet = octets[index]
            index += 1
            guard endsLine(octet) else { continue }
            if octet == 0x0D, index < octets.count, octets[index] == 0x0A { index += 1 }
            guard index < octets.count, octets[index] == 0x20 || octets[index] == 0x09 else { return index }
        }
        return octets.count
    }

    /// Returns the range to be removed. If no reader ends the field at its LF, the LF stays with the line before it.
    private static func removed(_ octets: UnsafeRawBufferPointer, _ field: Range<Int>) -> Range<Int> {
        let isAtLineStart = field.lowerBound == 0 || octets[field.lowerBound - 1] == 0x0A
        guard !isAtLineStart, octets[field.upperBound - 1] == 0x0A else { return field }
        var end = field.upperBound - 1
        if end > field.lowerBound, octets[end - 1] == 0x0D { end -= 1 }
        var start = field.lowerBound - 1
        if octets[start] == 0x85, start > 0, octets[start - 1] == 0xC2 { start -= 1 }
        return start..<end
    }

    /// In order, those that overlap as one.
    private static func merged(_ findings: [Finding]) -> [Finding] {
        var merged: [Finding] = []
        for finding in findings.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            if let last = merged.last, finding.range.lowerBound < last.range.upperBound {
                let end = max(last.range.upperBound, finding.range.upperBound)
                merged[merged.count - 1].range = last.range.lowerBound..<end
            } else {
                merged.append(finding)
            }
        }
        return merged
    }

    // MARK: - Names

    /// The largest number of letters of a name that are compared; no name of ours is that long.
    private static let maximumNameLength = 64

    private func judge(_ octets: UnsafeRawBufferPointer, _ field: Range<Int>) -> (name: String, reason: String)? {
        // A line that continues none would continue the field of ours that is put on top.
        if field.lowerBound == 0, octets[0] == 0x20 || octets[0] == 0x09 {
            return ("a folded line", "no field stands before it")
        }
        var letters: [UInt8] = []
        var index = field.lowerBound
        while index < field.upperBound, octets[index] != 0x3A {
            // Blanks, control characters and octets above 126 are no part of a name for some reader.
            if (0x21...0x7E).contains(octets[index]) { letters.append(octets[index].asciiLowercased) }
            guard letters.count <= Self.maximumNameLength else { return nil }
            index += 1
        }
        guard index < field.upperBound, let first = letters.first,
            first == 0x61 || first == 0x62 || first == 0x72 || first == 0x78
        else { return nil }
        let written = Array(octets.octets(field.lowerBound..<index))
        // For some the name ends at a NUL, for some an underscore is a hyphen, as is what looks like one.
        let cut = written.prefix { $0 != 0 }.filter { (0x21...0x7E).contains($0) }.map(\.asciiLowercased)
        let hyphens = Self.withHyphens(written)
        let readings = [letters, cut, hyphens].map { $0.map { $0 == 0x5F ? 0x2D : $0 } }
        var name: String { String(decoding: written, as: UTF8.self) }
        if readings.contains(where: { $0 == Self.own || $0.starts(with: Self.ownPrefix) }) {
            return (name, "only SES writes it")
        }
        if names.bcc, readings.contains(Self.bcc) || readings.contains(Self.resentBcc) {
            return (name, "not for other recipients")
        }
        guard let authservID = names.authservID, readings.contains(Self.results) else { return nil }
        let body = OctetString(octets.octets(index + 1..<field.upperBound))
        let claim = ForeignClaim(of: body)
        if claim.mayBe(of: authservID) { return (name, "it speaks for \(authservID)") }
        return claim.originOfSMIME(within: names.domains).map { (name, "it speaks about S/MIME for \($0)") }
    }

    private static let own = Array("x-ses".utf8)
    private static let ownPrefix = Array("x-ses-".utf8)
    private static let bcc = Array("bcc".utf8)
    private static let resentBcc = Array("resent-bcc".utf8)
    private static let results = Array("authentication-results".utf8)

    /// A run of octets above 127 between letters as one hyphen: Unicode has many of them.
    private static func withHyphens(_ written: [UInt8]) -> [UInt8] {
        var letters: [UInt8] = []
        for octet in written where octet > 0x20 && octet != 0x7F {
            let letter = octet >= 0x80 ? 0x2D : octet.asciiLowercased
            if letter != 0x2D || letters.last != 0x2D { letters.append(letter) }
        }
        return letters
    }
}
