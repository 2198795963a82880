/// A text by which messages are found: compared without regard to the case of ASCII letters and to angle brackets.
public struct SearchWord: Sendable, Hashable {
    let octets: [UInt8]

    public init(_ text: String) {
        var octets = text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
        if octets.first == UInt8(ascii: "<"), octets.last == UInt8(ascii: ">"), octets.count > 2 {
            octets.removeFirst()
            octets.removeLast()
        }
        self.octets = octets
    }

    private init(_ octets: [UInt8]) { self.octets = octets }

    /// The words of a subject: letters and digits, at least three of them.
    static func words(of subject: String) -> Set<SearchWord> {
        let words = SearchWord(subject).octets.split { octet in
            octet < 0x80 && !(0x30...0x39).contains(octet) && !(0x61...0x7A).contains(octet)
        }
        return Set(words.filter { $0.count >= 3 }.map { SearchWord(Array($0)) })
    }

    /// The key of the word in an index: FNV-1a. Two words may have one key, so that a line found is looked at.
    var key: Int64 { octets.withUnsafeBytes { Self.key($0) } }

    static func key(_ octets: UnsafeRawBufferPointer) -> Int64 {
        var octets = octets
        if octets.count > 2, octets[0] == UInt8(ascii: "<"), octets[octets.count - 1] == UInt8(ascii: ">") {
            octets = UnsafeRawBufferPointer(rebasing: octets[1..<(octets.count - 1)])
        }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in octets {
            let lower = (0x41...0x5A).contains(octet) ? octet | 0x20 : octet
            hash = (hash ^ UInt64(lower)) &* 0x100_0000_01B3
        }
        return Int64(bitPattern: hash)
    }

    /// The fewest digits that name an entry.
    static let shortestEntry = 4

    func isPrefix(of entry: String) -> Bool {
        octets.count >= Self.shortestEntry && entry.utf8.starts(with: octets)
    }

    /// The range of keys of the entries that begin with the word; nil if it cannot be the beginning of one.
    var entryKeys: ClosedRange<Int64>? {
        guard (Self.shortestEntry...32).contains(octets.count), let low = Self.entryKey(octets) else { return nil }
        let missing = max(0, Self.entryDigits - octets.count)
        return low...(low | (missing == 0 ? 0 : (1 << (4 * Int64(missing))) - 1))
    }

    /// Digits of an entry that its key has.
    private static let entryDigits = 15

    /// The first 60 bits of an entry, those that are missing zero; nil for what is not hexadecimal.
    static func entryKey(_ digits: some Collection<UInt8>) -> Int64? {
        var key: Int64 = 0
        var count = 0
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x30...0x39: value = digit - 0x30
            case 0x61...0x66: value = digit - 0x61 + 10
            default: return nil
            }
            if count < entryDigits { key = key << 4 | Int64(value) }
            count += 1
        }
        return key << (4 * Int64(max(0, entryDigits - count)))
    }
}
