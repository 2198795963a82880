/// A moment in UTC, to the millisecond, as text.
public struct UTCTime: Hashable, Sendable {
    public let date: CivilDate
    public let millisecondsOfDay: Int

    /// - Parameter milliseconds: Since 1970.
    public init(milliseconds: Int) {
        let (days, rest) = milliseconds.floorDivided(by: 86_400_000)
        date = CivilDate(dayNumber: days)
        millisecondsOfDay = rest
    }

    /// `20260102`
    public var day: String { text { $0.appendDate(date, separator: nil) } }

    /// RFC 3339: `2026-01-02T03:04:05.006Z`
    public var rfc3339: String {
        text { digits in
            digits.appendDate(date, separator: UInt8(ascii: "-"))
            let seconds = millisecondsOfDay / 1_000
            digits.append(UInt8(ascii: "T"))
            digits.append(seconds / 3_600, width: 2)
            digits.append(UInt8(ascii: ":"))
            digits.append(seconds / 60 % 60, width: 2)
            digits.append(UInt8(ascii: ":"))
            digits.append(seconds % 60, width: 2)
            digits.append(UInt8(ascii: "."))
            digits.append(millisecondsOfDay % 1_000, width: 3)
            digits.append(UInt8(ascii: "Z"))
        }
    }

    private func text(_ write: (inout Digits) -> Void) -> String {
        // A year has up to 20 characters.
        String(unsafeUninitializedCapacity: 40) { buffer in
            var digits = Digits(buffer: buffer)
            write(&digits)
            return digits.count
        }
    }
}

/// Digits that are written one after the other.
private struct Digits {
    let buffer: UnsafeMutableBufferPointer<UInt8>
    var count = 0

    init(buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func append(_ octet: UInt8) {
        buffer[count] = octet
        count += 1
    }

    /// Appends `number` with zeros before it up to `width`.
    mutating func append(_ number: Int, width: Int) {
        guard (0..<10_000).contains(number), number < 1_000 || width >= 4 else {
            for octet in String(number).utf8 { append(octet) }
            return
        }
        var divisor = [1, 1, 10, 100, 1_000][width]
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    mutating func appendDate(_ date: CivilDate, separator: UInt8?) {
        append(date.year, width: 4)
        if let separator { append(separator) }
        append(date.month, width: 2)
        if let separator { append(separator) }
        append(date.day, width: 2)
    }
}
