import Glibc

/// Moments as text, by the time zone of this machine.
package enum LocalTime {
    /// Returns a moment in a form of strftime(3) that makes less than 80 octets; nil if the calendar does not reach it.
    /// - Parameter seconds: Unix seconds.
    package static func formatted(_ seconds: Int, _ format: String) -> String? {
        var moment = time_t(seconds)
        var parts = tm()
        guard localtime_r(&moment, &parts) != nil else { return nil }
        var text = [CChar](repeating: 0, count: 80)
        let count = strftime(&text, text.count, format, &parts)
        return String(decoding: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
