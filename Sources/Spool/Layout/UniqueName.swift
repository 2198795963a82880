import Octets

/// The identity of a message from its first claim to its end: 128 random bits, as 32 hexadecimal digits.
public struct EntryID: Hashable, Sendable, CustomStringConvertible {
    public let digits: String

    /// Takes exactly 32 lower-case hexadecimal digits.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count == 32, text.utf8.allSatisfy(isLowerHexadecimal) else { return nil }
        digits = String(text)
    }

    public init(random: SpoolRandom) { digits = random.octets(16).hexadecimal }

    public var description: String { digits }
}

/// `SECONDS.ENTRY.FILE`: the time of making, the entry, and 64 random bits that no other file or directory has.
///
/// The form is that of a Maildir name (time, unique middle, last part), without a character that has a meaning for
/// Maildir or a shell.
public struct UniqueName: Hashable, Sendable, CustomStringConvertible {
    /// Unix seconds at which it was made.
    public let seconds: Int
    public let entry: EntryID
    /// 16 hexadecimal digits.
    public let file: String

    /// Makes a name that was never used.
    public init(entry: EntryID, clock: SpoolClock, random: SpoolRandom) {
        seconds = max(0, clock.now())
        self.entry = entry
        file = random.octets(8).hexadecimal
    }

    public init?(parsing text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let seconds = parseDecimal(parts[0]), let entry = EntryID(parts[1]),
            parts[2].utf8.count == 16, parts[2].utf8.allSatisfy(isLowerHexadecimal)
        else { return nil }
        self.seconds = seconds
        self.entry = entry
        file = String(parts[2])
    }

    public var description: String { "\(seconds).\(entry.digits).\(file)" }
}

private func isLowerHexadecimal(_ octet: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet)
}

/// A decimal number as we write it: 1 to 15 digits, no sign, no leading zero. Nil for anything else.
func parseDecimal(_ text: some StringProtocol) -> Int? {
    guard (1...15).contains(text.utf8.count), text == "0" || text.utf8.first != UInt8(ascii: "0") else { return nil }
    var value = 0
    for octet in text.utf8 {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet) else { return nil }
        value = value * 10 + Int(octet - UInt8(ascii: "0"))
    }
    return value
}
