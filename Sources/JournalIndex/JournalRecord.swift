import CivilTime

/// One line of a journal, read. Lines of earlier releases are read, too: their time is a text, and `to` has the names
/// of files.
public struct JournalRecord: Sendable, Hashable {
    /// The program that wrote it: `ses` or `relay`.
    public let program: String
    /// Milliseconds since 1970.
    public private(set) var time = 0
    /// 32 hexadecimal digits.
    public private(set) var entry = ""
    public private(set) var event = ""
    public private(set) var file: String?
    public private(set) var workflow: String?
    /// The line of the workflow in `ses.xml`.
    public private(set) var line: Int?
    public private(set) var attempts: Int?
    /// Folders.
    public private(set) var to: [String] = []
    public private(set) var verdict: String?
    public private(set) var reason: String?
    public private(set) var messageID: String?
    public private(set) var queueID: String?
    /// The words of a server.
    public private(set) var server: String?
    public private(set) var sender: String?
    public private(set) var recipients: [String] = []
    public private(set) var author: String?
    public private(set) var addressees: [String] = []
    public private(set) var subject: String?
    public private(set) var octets: Int?
    /// Milliseconds.
    public private(set) var duration: Int?
    /// Unix seconds.
    public private(set) var received: Int?
    public private(set) var host: String?
    /// Milliseconds.
    public private(set) var serverTime: Int?
    public private(set) var profile: String?
    public private(set) var key: String?

    /// - Parameter line: Without its line end.
    /// - Returns: nil if it is no line of a journal.
    public init?(_ line: UnsafeRawBufferPointer, program: String) {
        self.program = program
        var isWhole = false
        withUnsafeMutablePointer(to: &self) { record in
            isWhole = LineScan.fields(of: line) { record.pointee.set($0, $1) }
        }
        guard isWhole, !entry.isEmpty, time > 0 else { return nil }
    }

    private mutating func set(_ name: LineScan.Key, _ value: LineScan.Value) {
        switch name {
        case "t": time = value.int ?? value.string.flatMap(Self.milliseconds) ?? 0
        case "e": entry = value.string ?? ""
        case "ev": event = value.string ?? ""
        case "f": file = value.string
        case "wf": workflow = value.string
        case "ln": line = value.int
        case "n": attempts = value.int
        case "to": if let folder = value.string { to.append(folder) }
        case "verdict": verdict = value.string
        case "reason": reason = value.string
        case "mid": messageID = value.string
        case "qid": queueID = value.string
        case "srv": server = value.string
        case "from": sender = value.string
        case "rcpt": if let address = value.string { recipients.append(address) }
        case "au": author = value.string
        case "hto": if let address = value.string { addressees.append(address) }
        case "sub": subject = value.string
        default: setMeasure(name, value)
        }
    }

    private mutating func setMeasure(_ name: LineScan.Key, _ value: LineScan.Value) {
        switch name {
        case "sz": octets = value.int
        case "ms": duration = value.int
        case "rx": received = value.int
        case "at": host = value.string
        case "sms": serverTime = value.int
        case "pf": profile = value.string
        case "key": key = value.string
        default: break
        }
    }

    /// Reads RFC 3339 with milliseconds, as earlier releases wrote it.
    static func milliseconds(_ text: String) -> Int? {
        let digits = text.utf8.map { Int($0) - 0x30 }
        guard digits.count == 24 else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            range.reduce(0 as Int?) { sum, place in
                (0...9).contains(digits[place]) ? sum.map { $0 * 10 + digits[place] } : nil
            }
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), (1...12).contains(month),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let rest = number(20..<23)
        else { return nil }
        let days = CivilDate.dayNumber(year: year, month: month, day: day)
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + rest
    }

    /// Returns true if `word` is one of its identifiers or addresses, or a word of its subject.
    public func names(_ word: SearchWord) -> Bool {
        if word.isPrefix(of: entry) { return true }
        let single = [queueID, messageID, sender, author, file].compactMap(\.self)
        return (single + recipients + addressees).contains { SearchWord($0) == word }
            || subject.map { SearchWord.words(of: $0).contains(word) } ?? false
    }
}
