import CivilTime
import FoundationEssentials
import Glibc
import HostProcess
import JournalIndex
import MailEnvelope
import ProgramLife

/// The way of one message: what the journals tell of it, and where it stands now.
struct Journey: Encodable, Sendable {
    /// One line of a journal, with the names of the fields for programs.
    struct Line: Encodable, Sendable {
        /// RFC 3339, UTC.
        let time: String
        /// `ses` or `relay`.
        let program: String
        let event: String
        let file: String?
        let workflow: String?
        /// Of the workflow in `ses.xml`.
        let line: Int?
        let attempts: Int?
        let to: [String]?
        let verdict: String?
        let reason: String?
        let messageID: String?
        let queueID: String?
        /// The words of a server.
        let server: String?
        let sender: String?
        let recipients: [String]?
        let author: String?
        let addressees: [String]?
        let subject: String?
        let octets: Int?
        /// Milliseconds.
        let duration: Int?
        /// Unix seconds.
        let received: Int?
        /// The server that answered.
        let host: String?
        /// Milliseconds.
        let serverTime: Int?
        let profile: String?
        let key: String?

        init(_ record: JournalRecord) {
            func filled(_ list: [String]) -> [String]? { list.isEmpty ? nil : list }
            time = UTCTime(milliseconds: record.time).rfc3339
            program = record.program
            event = record.event
            file = record.file
            workflow = record.workflow
            line = record.line
            attempts = record.attempts
            to = filled(record.to)
            verdict = record.verdict
            reason = record.reason
            messageID = record.messageID
            queueID = record.queueID
            server = record.server
            sender = record.sender
            recipients = filled(record.recipients)
            author = record.author
            addressees = filled(record.addressees)
            subject = record.subject
            octets = record.octets
            duration = record.duration
            received = record.received
            host = record.host
            serverTime = record.serverTime
            profile = record.profile
            key = record.key
        }
    }

    let entry: String
    let lines: [Line]
    let standing: [ListReport.Row]
    /// The directory in which a program works on it at this moment; nil if none does.
    @OrNull var work: String?
    let records: [JournalRecord]

    private enum CodingKeys: String, CodingKey { case entry, lines, standing, work }

    init(_ entry: String, _ records: [JournalRecord], standing: [ListReport.Row], work: String?) {
        self.entry = entry
        self.records = records
        self.standing = standing
        lines = records.map(Line.init)
        self.work = work
    }
}

extension LocalTime {
    /// `16:44:03.120`
    static func ofDay(_ milliseconds: Int) -> String {
        text(milliseconds, "%H:%M:%S") + "." + String(String(1_000 + milliseconds % 1_000).dropFirst())
    }

    /// `Mon 30 Nov 2026`
    static func day(_ milliseconds: Int) -> String { text(milliseconds, "%a %e %b %Y") }

    /// `CET`
    static func zone(_ milliseconds: Int) -> String { text(milliseconds, "%Z") }

    /// `16:49`, with the day if it is another one than that of `now`.
    static func brief(_ seconds: Int, now: Int) -> String {
        let time = text(seconds * 1_000, "%H:%M")
        return day(seconds * 1_000) == day(now * 1_000) ? time : time + " on " + day(seconds * 1_000)
    }

    /// Reads `2026-11-30`, `2026-11-30 16:00`, `16:00` of today, or an age such as `2h`.
    /// - Parameter now: Unix seconds.
    /// - Returns: Unix seconds; nil if it is none of these.
    static func parse(_ text: String, now: Int) -> Int? {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        if let unit = text.last.flatMap({ units[$0] }), let number = Int(text.dropLast()), number >= 0,
            case (let seconds, false) = number.multipliedReportingOverflow(by: unit)
        {
            return now - seconds
        }
        var moment = time_t(now)
        var fields = tm()
        localtime_r(&moment, &fields)
        fields.tm_sec = 0
        let words = text.split(whereSeparator: { $0 == " " || $0 == "T" })
        guard (1...2).contains(words.count) else { return nil }
        var clock = words.last.map { $0.split(separator: ":") } ?? []
        if let date = words.first?.split(separator: "-"), date.count == 3 {
            let numbers = date.compactMap { Int32($0) }
            guard numbers.count == 3, (1...12).contains(numbers[1]), (1...31).contains(numbers[2]) else { return nil }
            (fields.tm_year, fields.tm_mon, fields.tm_mday) = (numbers[0] - 1_900, numbers[1] - 1, numbers[2])
            if words.count == 1 { clock = ["0", "0"] }
        } else if words.count == 2 {
            return nil
        }
        let numbers = clock.compactMap { Int32($0) }
        guard (2...3).contains(clock.count), numbers.count == clock.count, (0...24).contains(numbers[0]),
            numbers.dropFirst().allSatisfy({ (0...59).contains($0) })
        else { return nil }
        (fields.tm_hour, fields.tm_min) = (numbers[0], numbers[1])
        if numbers.count == 3 { fields.tm_sec = numbers[2] }
        fields.tm_isdst = -1
        let time = mktime(&fields)
        return time < 0 ? nil : Int(time)
    }

    private static func text(_ milliseconds: Int, _ format: String) -> String {
        formatted(milliseconds / 1_000, format) ?? ""
    }
}
