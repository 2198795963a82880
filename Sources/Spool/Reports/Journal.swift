import CivilTime
import Glibc
import Synchronization

/// One line of the journal. Nil fields and empty lists are left out.
public struct JournalEvent: Sendable, Hashable {
    public enum Event: String, Sendable, Hashable {
        case claimed, committed, published, deferred, recovered, sent, failed
        /// An operator's order.
        case ordered
        /// A copy whose time is over.
        case removed
    }

    public var event: Event
    public var entry: EntryID
    /// The file that the event is about; written only if its name does not say the entry already.
    public var file: String?
    public var workflow: String?
    /// The line of the workflow in `ses.xml`.
    public var line: Int?
    public var attempts: Int?
    public var to: [PublishedFile]
    public var verdict: String?
    public var reason: String?
    public var messageID: String?
    /// The mail server's identifier of the message.
    public var queueID: String?
    /// The server's message.
    public var server: String?
    /// The recipients that the event concerns.
    public var recipients: [String] = []
    /// The envelope sender, empty for the null sender; nil if unknown.
    public var sender: String?
    /// The address in From, where it is not the envelope sender.
    public var author: String?
    /// The addresses in To and Cc that are no recipients of the envelope.
    public var addressees: [String] = []
    /// Only where the configuration wants it.
    public var subject: String?
    /// Octets of the message.
    public var octets: Int?
    /// Milliseconds from the start of the work on the message.
    public var duration: Int?
    /// Unix seconds at which the message came, where it waited before the start.
    public var received: Int?
    /// The signing server that answered, or the mail server.
    public var host: String?
    /// Milliseconds that the signing server was waited for.
    public var serverTime: Int?
    /// The last part of the name of the signing profile.
    public var profile: String?
    /// The alias of the key, where it is not the envelope sender.
    public var key: String?

    public init(
        _ event: Event, entry: EntryID, file: String? = nil, workflow: String? = nil, attempts: Int? = nil,
        to: [PublishedFile] = [], verdict: String? = nil, reason: String? = nil, messageID: String? = nil,
        server: String? = nil
    ) {
        self.event = event
        self.entry = entry
        self.file = file
        self.workflow = workflow
        self.attempts = attempts
        self.to = to
        self.verdict = verdict
        self.reason = reason
        self.messageID = messageID
        self.server = server
    }

    func line(milliseconds: Int) -> String {
        var json = JSONLine()
        json.add("t", milliseconds)
        json.add("e", entry.digits)
        json.add("ev", event.rawValue)
        if let file, !file.contains(entry.digits) { json.add("f", file) }
        json.add("wf", workflow)
        json.add("ln", line)
        json.add("n", attempts)
        json.add("to", to.map(\.folder.rawValue))
        json.add("verdict", verdict)
        json.add("reason", reason)
        json.add("mid", messageID)
        json.add("qid", queueID)
        json.add("srv", server)
        json.add("from", sender)
        json.add("rcpt", recipients)
        json.add("au", author)
        json.add("hto", addressees)
        json.add("sub", subject)
        json.add("sz", octets)
        json.add("ms", duration)
        json.add("rx", received)
        json.add("at", host)
        json.add("sms", serverTime)
        json.add("pf", profile)
        json.add("key", key)
        return json.finished + "\n"
    }
}

/// The events of each entry, one JSON object a line, one file for each program and UTC day. For people and `ses show`,
/// never for decisions.
///
/// A line is one append and one write, so that lines of several processes do not mix. Readers skip a line that a crash
/// cut short.
public final class Journal: Sendable {
    private struct Day {
        let name: String
        let file: OpenFile
        let folder: FileIdentity
    }

    private let folder: OwnFolder
    private let program: Program
    private let clock: SpoolClock
    private let today = Mutex<Day?>(nil)

    init(folder: OwnFolder, program: Program, clock: SpoolClock) {
        self.folder = folder
        self.program = program
        self.clock = clock
    }

    /// Appends one line. Call it before the rename that it tells of.
    /// - Returns: nil, or why it could not be written: a warning, never a reason to stop.
    @discardableResult
    public func append(_ event: JournalEvent) -> SpoolError? {
        let now = clock.milliseconds()
        var line = event.line(milliseconds: now)
        do throws(SpoolError) {
            let file = try open("\(program.rawValue)-\(Timestamp(milliseconds: now).day).jsonl")
            // One call: a rest written later could end up in another process's line.
            let written = line.withUTF8 { Glibc.write(file.descriptor, $0.baseAddress, $0.count) }
            guard written == line.utf8.count else {
                let cause = written < 0 ? errno : 0
                throw SpoolError(.system, path: file.path, errno: cause, "cannot write a whole line to the journal")
            }
            return nil
        } catch {
            return error
        }
    }

    /// Tries whether a line could be written, by an empty one, which readers pass over.
    /// - Returns: nil, or why it could not.
    public func tryWriting() -> SpoolError? {
        do throws(SpoolError) {
            let file = try open("\(program.rawValue)-\(Timestamp(milliseconds: clock.milliseconds()).day).jsonl")
            try file.write([UInt8(ascii: "\n")])
            return nil
        } catch {
            return error
        }
    }

    private func open(_ name: String) throws(SpoolError) -> OpenFile {
        // The folder may have been removed, or moved away with the file in it.
        let directory = try folder.open().directory
        if let held = today.withLock({ $0 }), held.name == name, held.folder == directory.identity,
            try held.file.status().st_nlink > 0
        {
            return held.file
        }
        let file = try directory.openForAppending(name, mode: Layout.fileMode)
        // A line torn by a crash costs itself, not the one after it.
        try file.endTornLine()
        today.withLock { $0 = Day(name: name, file: file, folder: directory.identity) }
        return file
    }
}

extension OpenFile {
    /// Ends the last line of a file open for appending, where its end is missing.
    func endTornLine() throws(SpoolError) {
        let size = try status().st_size
        var last = UInt8(ascii: "\n")
        guard size > 0, pread(descriptor, &last, 1, size - 1) == 1, last != UInt8(ascii: "\n") else { return }
        last = UInt8(ascii: "\n")
        guard Glibc.write(descriptor, &last, 1) == 1 else {
            throw failure(errno, "cannot end a torn line")
        }
    }
}

/// A moment in UTC, reckoned without the C library's time zone.
struct Timestamp {
    private let time: UTCTime

    init(milliseconds: Int) { time = UTCTime(milliseconds: milliseconds) }

    /// `20260102`
    var day: String { time.day }

    /// RFC 3339 with milliseconds: `2026-01-02T03:04:05.006Z`
    var text: String { time.rfc3339 }
}

/// Builds one JSON object without line breaks, octet by octet: there are three lines for each message.
struct JSONLine {
    private var octets: [UInt8] = []

    init() {
        octets.reserveCapacity(512)
        octets.append(UInt8(ascii: "{"))
    }

    var finished: String { String(decoding: octets + [UInt8(ascii: "}")], as: UTF8.self) }

    /// Adds a number; nothing for nil.
    mutating func add(_ key: String, _ value: Int?) {
        guard let value else { return }
        begin(key)
        octets.append(contentsOf: String(value).utf8)
    }

    /// Adds a text; nothing for nil.
    mutating func add(_ key: String, _ value: String?) {
        guard let value else { return }
        begin(key)
        quote(value)
    }

    /// Adds a list; nothing for an empty one.
    mutating func add(_ key: String, _ words: [String]) {
        guard !words.isEmpty else { return }
        begin(key)
        list(words)
    }

    mutating func add(_ key: String, _ rows: [[String]]) {
        begin(key)
        octets.append(UInt8(ascii: "["))
        for (index, row) in rows.enumerated() {
            if index > 0 { octets.append(UInt8(ascii: ",")) }
            list(row)
        }
        octets.append(UInt8(ascii: "]"))
    }

    private mutating func list(_ words: [String]) {
        octets.append(UInt8(ascii: "["))
        for (index, word) in words.enumerated() {
            if index > 0 { octets.append(UInt8(ascii: ",")) }
            quote(word)
        }
        octets.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ key: String) {
        if octets.count > 1 { octets.append(UInt8(ascii: ",")) }
        quote(key)
        octets.append(UInt8(ascii: ":"))
    }

    /// Escapes the characters that JSON requires, all control characters, and U+2028 and U+2029, which some readers
    /// take for line ends.
    private mutating func quote(_ value: String) {
        octets.append(UInt8(ascii: "\""))
        if value.utf8.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
            octets.append(contentsOf: value.utf8)
        } else {
            for scalar in value.unicodeScalars { append(scalar) }
        }
        octets.append(UInt8(ascii: "\""))
    }

    private mutating func append(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"", "\\": octets += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
            let digits = String(scalar.value, radix: 16)
            octets.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
        default: octets.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }
}
