import Glibc

/// Times as RFC 3339 writes them, in UTC and whole seconds.
enum RFC3339Time {
    static func text(_ unixSeconds: Int) -> String {
        var seconds = time_t(unixSeconds)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "" }
        var text = [CChar](repeating: 0, count: 40)
        let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// nil when `text` is not of the form `2026-01-31T12:00:00Z`.
    static func unixSeconds(_ text: String) -> Int? {
        let octets = Array(text.utf8)
        let pattern = Array("dddd-dd-ddTdd:dd:ddZ".utf8)
        guard octets.count == pattern.count else { return nil }
        for (octet, form) in zip(octets, pattern) {
            let isDigit = (0x30...0x39).contains(octet)
            guard form == UInt8(ascii: "d") ? isDigit : octet == form else { return nil }
        }
        func number(_ range: Range<Int>) -> Int32 { octets[range].reduce(0) { $0 * 10 + Int32($1 - 0x30) } }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (number(0..<4) - 1900, number(5..<7) - 1, number(8..<10))
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (number(11..<13), number(14..<16), number(17..<19))
        let seconds = Int(timegm(&parts))
        // A text that is not a date, such as 31 June, becomes another date.
        return Self.text(seconds) == text ? seconds : nil
    }

    static var now: Int { Int(time(nil)) }
}
