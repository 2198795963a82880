import HostProcess
package import Monitoring
package import ProgramLife
package import Spool

/// The metrics that every program on a spool has.
package struct ProgramMetrics: Sendable {
    private let prefix: String
    private let spool: Spool
    private let places: Set<String>
    private let board: HealthBoard
    private let started = SpoolClock.system.now()
    /// The codes of what a program notices itself; a status sees more.
    private static let told: [StatusCode] = [
        .machineFault, .journalUnwritable, .metricsUnwritable, .unreadableFile, .foreignName, .foreignFile,
        .repairedState,
        .serverRefuses, .configurationUnusable,
    ]

    /// - Parameters:
    ///   - prefix: That of the metrics' names, without its underscore.
    ///   - places: The folders that the program is responsible for.
    package init(_ prefix: String, of spool: Spool, places: Set<String>, board: HealthBoard) {
        self.prefix = prefix
        self.spool = spool
        self.places = places
        self.board = board
    }

    /// Looks at the spool, which may take as long as its folders are large, and returns the metrics.
    package func families(servers: [ServerState], certificates: [DatedCertificate]) -> [MetricFamily] {
        let now = SpoolClock.system.now()
        var families = Self.build(prefix, started: started)
        families.append(.expiry("\(prefix)_certificate_expiry_timestamp_seconds", certificates))
        if let survey = try? SpoolSurvey(of: spool.path, now: now, patience: HouseOptions().maximumAge) {
            families += queues(survey, now: now)
            if let room = survey.room {
                families.append(
                    MetricFamily("\(prefix)_spool_free_bytes", .gauge, "Octets free for the spool.", value: room.free))
                families.append(
                    MetricFamily(
                        "\(prefix)_spool_size_bytes", .gauge, "Octets of the spool's file system.", value: room.total))
            }
        }
        var up = MetricFamily("\(prefix)_server_up", .gauge, "1 if the server answers, 0 if not.")
        for server in servers {
            up.add(
                server.isAnswering ? 1 : 0,
                [(name: "purpose", value: server.purpose.rawValue), (name: "address", value: server.address)])
        }
        var reasons = MetricFamily("\(prefix)_reasons", .gauge, "Reasons for which the program is not well, by code.")
        let standing = board.snapshot.reasons.values
        for code in Self.told {
            reasons.add(Double(standing.count { $0.code == code }), [(name: "code", value: code.rawValue)])
        }
        return families + [up, reasons]
    }

    private func queues(_ survey: SpoolSurvey, now: Int) -> [MetricFamily] {
        var counts = MetricFamily("\(prefix)_queue_messages", .gauge, "Messages in a folder.")
        var ages = MetricFamily("\(prefix)_queue_oldest_seconds", .gauge, "Age of the oldest message in a folder.")
        var overdue = MetricFamily(
            "\(prefix)_queue_overdue_messages", .gauge, "Messages that should have been taken from a folder.")
        for place in survey.places where places.contains(place.name) {
            let labels = [(name: "queue", value: place.name)]
            counts.add(Double(place.count), labels)
            ages.add(Double(place.oldest.map { max(0, now - $0) } ?? 0), labels)
            overdue.add(Double(place.overdue.count), labels)
        }
        return [counts, ages, overdue]
    }

    private static func build(_ prefix: String, started: Int) -> [MetricFamily] {
        var info = MetricFamily("\(prefix)_build_info", .gauge, "The version of the program.")
        info.add(1, [(name: "version", value: ProgramRelease.version)])
        return [
            info,
            MetricFamily("\(prefix)_start_time_seconds", .gauge, "Unix time of the program's start.", value: started),
        ]
    }
}
