import CivilTime

/// The date-time of mail (RFC 5322 §3.3, obsolete forms §4.3), as seconds since 1970-01-01 00:00:00 UTC.
public struct MailDate: Hashable, Sendable, CustomStringConvertible {
    public let unixSeconds: Int64

    public init(unixSeconds: Int64) { self.unixSeconds = unixSeconds }

    /// Reads a field body: day name, seconds and zone may be missing, the year may have two or three digits, the zone a
    /// name, and comments may stand anywhere. A leap second counts as the second before it; an unknown zone is UTC.
    public init?(parsing body: some StringProtocol) {
        let seconds: Int64? = FieldCursor.reading(Array(body.utf8).filter { $0 != 0x0D && $0 != 0x0A }) { cursor in
            var reader = DateReader(cursor: cursor)
            return reader.read()
        }
        guard let seconds else { return nil }
        unixSeconds = seconds
    }

    /// The date in the form of a Date field, in UTC: `Mon, 23 Nov 2026 21:10:00 +0000`. Years beyond 9999 are written
    /// in full.
    public var description: String {
        let (day, second) = Int(unixSeconds).floorDivided(by: 86_400)
        let date = CivilDate(dayNumber: day)
        let weekday = (day + 4).floorDivided(by: 7).remainder
        let clock = [second / 3_600, second / 60 % 60, second % 60].map(Self.twoDigits).joined(separator: ":")
        let year = String(repeating: "0", count: max(0, 4 - String(date.year).count)) + String(date.year)
        return
            "\(Self.weekdays[weekday]), \(Self.twoDigits(date.day)) \(Self.months[date.month - 1]) \(year) "
            + "\(clock) +0000"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    fileprivate static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    fileprivate static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}

private struct DateReader {
    var cursor: FieldCursor

    init(cursor: FieldCursor) { self.cursor = cursor }

    mutating func read() -> Int64? {
        cursor.skipCFWS()
        if !cursor.current.isDigit {
            _ = word()
            cursor.skipCFWS()
            _ = cursor.skip(0x2C)
        }
        guard let day = number(1...2), let month = month(), let written = number(2...4) else { return nil }
        guard let hour = number(1...2), colon(), let minute = number(1...2) else { return nil }
        var second: Int64 = 0
        if colon() {
            guard let read = number(1...2) else { return nil }
            second = read.value
        }
        let year =
            switch written.digits {
            case 2: written.value + (written.value < 50 ? 2_000 : 1_900)
            case 3: written.value + 1_900
            default: written.value
            }
        guard hour.value < 24, minute.value < 60, second <= 60,
            let date = CivilDate(year: Int(year), month: month, day: Int(day.value))
        else { return nil }
        let clock = hour.value * 3_600 + minute.value * 60 + min(second, 59)
        return Int64(date.dayNumber) * 86_400 + clock - zoneSeconds()
    }

    private mutating func number(_ digits: ClosedRange<Int>) -> (value: Int64, digits: Int)? {
        cursor.skipCFWS()
        let run = cursor.consume { !$0.isDigit }
        guard digits.contains(run.count) else { return nil }
        return (cursor.slice(run).reduce(0) { $0 * 10 + Int64($1 - 0x30) }, run.count)
    }

    private mutating func colon() -> Bool {
        cursor.skipCFWS()
        return cursor.skip(0x3A)
    }

    private mutating func word() -> String {
        cursor.skipCFWS()
        let run = cursor.consume { !$0.isLetter }
        return String(decoding: cursor.slice(run), as: UTF8.self).asciiLowercased
    }

    private mutating func month() -> Int? {
        // Hyphens are seen instead of blanks.
        _ = cursor.skip(0x2D)
        let name = word()
        _ = cursor.skip(0x2D)
        return MailDate.months.firstIndex { name.hasPrefix($0.asciiLowercased) }.map { $0 + 1 }
    }

    /// Seconds east of Greenwich.
    private mutating func zoneSeconds() -> Int64 {
        cursor.skipCFWS()
        let isWest = cursor.current == 0x2D
        if isWest || cursor.current == 0x2B {
            cursor.advance()
            guard let zone = number(4...4) else { return 0 }
            let seconds = zone.value / 100 * 3_600 + zone.value % 100 * 60
            return isWest ? -seconds : seconds
        }
        // RFC 5322 §4.3: the names of North America; military letters were used in both senses and count as UTC.
        return switch word() {
        case "edt": -4 * 3_600
        case "est", "cdt": -5 * 3_600
        case "cst", "mdt": -6 * 3_600
        case "mst", "pdt": -7 * 3_600
        case "pst": -8 * 3_600
        default: 0
        }
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    fileprivate var isLetter: Bool { asciiLowercased >= 0x61 && asciiLowercased <= 0x7A }
}
