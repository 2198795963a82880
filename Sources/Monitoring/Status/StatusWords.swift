import FoundationEssentials
import Glibc
import HostProcess

/// The words for times and amounts in a status. Times are in local time; those of another day have their date.
public struct StatusWords: Sendable {
    /// Unix seconds.
    public let now: Int

    public init(now: Int) { self.now = now }

    /// An age or a wait: `4 min`.
    public static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(max(0, seconds)) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }

    /// `16:51`, or `12 Oct 16:51` on another day.
    public func time(_ moment: Int) -> String {
        let format = day(moment) == day(now) ? "%H:%M" : "%e %b %H:%M"
        return Self.formatted(moment, format).trimmingPrefix(" ").description
    }

    /// `Mon 12 Oct 09:14`.
    public func longTime(_ moment: Int) -> String {
        Self.formatted(moment, "%a %e %b %H:%M").replacing("  ", with: " ")
    }

    /// `3 Dec 2026`.
    public static func date(_ moment: Int) -> String { formatted(moment, "%e %b %Y").trimmingPrefix(" ").description }

    /// The abbreviation of the time zone, such as `CET`.
    public var zone: String { Self.formatted(now, "%Z") }

    /// The local day as a number of the form 20261203.
    public func day(_ moment: Int) -> Int { Int(Self.formatted(moment, "%Y%m%d")) ?? 0 }

    /// Today's local date as a number of the form 20261203.
    public static func today() -> Int {
        let now = Int(Glibc.time(nil))
        return StatusWords(now: now).day(now)
    }

    /// `41 GB`.
    public static func octets(_ count: Int) -> String {
        let units = [(1 << 40, "TB"), (1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")]
        guard let (size, name) = units.first(where: { count >= $0.0 }) else { return "\(count) B" }
        let tenths = count * 10 / size
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) \(name)" : "\(tenths / 10) \(name)"
    }

    /// `4,812`.
    public static func number(_ count: Int) -> String {
        var digits = Substring(String(count))
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = digits.dropLast(3)
        }
        return ([digits] + groups).joined(separator: ",")
    }

    private static func formatted(_ moment: Int, _ format: String) -> String {
        LocalTime.formatted(moment, format) ?? ""
    }
}
