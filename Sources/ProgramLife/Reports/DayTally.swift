import Synchronization

/// Counts of one local day, for the last line of a status.
package final class DayTally: Sendable {
    package struct Day: Codable, Sendable, Equatable {
        /// The local date as a number, such as 20261203; 0 before anything was counted.
        package var date = 0
        package var counts: [String: Int] = [:]

        package init() {}
    }

    private let day: Mutex<Day>
    private let date: @Sendable () -> Int

    /// - Parameters:
    ///   - start: Counts of a former process; those of another day are forgotten.
    ///   - date: The local date as a number.
    package init(continuing start: Day = Day(), date: @escaping @Sendable () -> Int) {
        day = Mutex(start)
        self.date = date
    }

    package func add(_ what: String, _ count: Int = 1) {
        let date = date()
        day.withLock { day in
            turn(&day, to: date)
            day.counts[what, default: 0] += count
        }
    }

    package var current: Day {
        let date = date()
        return day.withLock { day in
            turn(&day, to: date)
            return day
        }
    }

    private func turn(_ day: inout Day, to date: Int) {
        guard day.date != date else { return }
        day = Day()
        day.date = date
    }
}
