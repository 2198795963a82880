import Foundation
import HostProcess
package import Spool

/// The number of messages in one place of a spool, for a report.
public struct PlaceCount: Encodable, Sendable {
    let count: Int
    /// Age of the oldest file in seconds; nil when there is none.
    @OrNull var oldest: Int?

    package static func of(_ counts: [FolderCount], now: Int) -> [String: PlaceCount] {
        Dictionary(
            uniqueKeysWithValues: counts.map {
                ($0.name, PlaceCount(count: $0.count, oldest: $0.oldest.map { max(0, now - $0) }))
            })
    }

    /// For people.
    package static func lines(_ places: [String: PlaceCount], in order: [String]) -> [String] {
        order.compactMap { name in
            guard let place = places[name] else { return nil }
            let padded = name.padding(toLength: 10, withPad: " ", startingAt: 0)
            return "\(padded) \(place.count)" + (place.oldest.map { ", oldest \(span($0))" } ?? "")
        }
    }

    /// An age or a wait in words: `5 min`.
    package static func span(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) days"
        }
    }
}
