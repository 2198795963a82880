/// The way in which a message came into the spool, or the direction of a result.
public enum Origin: Hashable, Sendable {
    /// Bare: put there as a `*.eml` by a person, not delivered into `new/`.
    case outgoing(bare: Bool), incoming(bare: Bool)

    /// The value of `O=`.
    public var word: String {
        switch self {
        case .outgoing(let bare): bare ? "outfile" : "out"
        case .incoming(let bare): bare ? "infile" : "in"
        }
    }

    public init?(word: some StringProtocol) {
        switch word {
        case "out": self = .outgoing(bare: false)
        case "outfile": self = .outgoing(bare: true)
        case "in": self = .incoming(bare: false)
        case "infile": self = .incoming(bare: true)
        default: return nil
        }
    }

    public var isBare: Bool {
        switch self {
        case .outgoing(let bare), .incoming(let bare): bare
        }
    }
}

/// The facts that ride in a file's name, where one rename changes them and no message text can forge them.
public struct NameFacts: Hashable, Sendable {
    /// An operator's order.
    public enum Order: String, Hashable, Sendable {
        /// Pass it on as it arrived; nothing is decided.
        case release
        /// Keep it until somebody decides about it; nothing is decided by the workflows.
        case hold
        /// No order yet: it is kept so that there may be one, and the administrator or the sender has been told of it.
        case told
    }

    /// E: octets of envelope block at the head of the file; nil without one.
    public var envelopeOctets: Int?
    /// O.
    public var origin: Origin?
    /// N: transient attempts completed.
    public var attempts: Int?
    /// D: Unix seconds from which it may be tried again.
    public var due: Int?
    /// C: starts that had no end.
    public var starts: Int?
    /// W: starts that ended while a server was waited for, and so are not counted in C.
    public var waits: Int?
    /// A.
    public var order: Order?

    public init(
        envelopeOctets: Int? = nil, origin: Origin? = nil, attempts: Int? = nil, due: Int? = nil, starts: Int? = nil,
        waits: Int? = nil, order: Order? = nil
    ) {
        self.envelopeOctets = envelopeOctets
        self.origin = origin
        self.attempts = attempts
        self.due = due
        self.starts = starts
        self.waits = waits
        self.order = order
    }

    /// `,E=214,O=out,…`: each fact that is there, in this order; empty without any.
    public var suffix: String {
        var text = ""
        if let envelopeOctets { text += ",E=\(envelopeOctets)" }
        if let origin { text += ",O=" + origin.word }
        if let attempts { text += ",N=\(attempts)" }
        if let due { text += ",D=\(due)" }
        if let starts { text += ",C=\(starts)" }
        if let waits { text += ",W=\(waits)" }
        if let order { text += ",A=" + order.rawValue }
        return text
    }

    /// The facts in the order in which they are written.
    private static let keys: [Character] = ["E", "O", "N", "D", "C", "W", "A"]

    /// Reads `E=214,O=out`: known facts only, each once, in the order and with the numbers that we write.
    init?(parsing fields: some Sequence<Substring>) {
        self.init()
        var rest = Self.keys[...]
        for field in fields {
            guard field.dropFirst().first == "=", let key = field.first, let place = rest.firstIndex(of: key) else {
                return nil
            }
            rest = rest[(place + 1)...]
            let value = field.dropFirst(2)
            switch key {
            case "E": envelopeOctets = parseDecimal(value)
            case "O": origin = Origin(word: value)
            case "N": attempts = parseDecimal(value)
            case "D": due = parseDecimal(value)
            case "C": starts = parseDecimal(value)
            case "W": waits = parseDecimal(value)
            default: order = Order(rawValue: String(value))
            }
            // A value that could not be read left its fact at nil.
            guard has(key) else { return nil }
        }
    }

    private func has(_ key: Character) -> Bool {
        switch key {
        case "E": envelopeOctets != nil
        case "O": origin != nil
        case "N": attempts != nil
        case "D": due != nil
        case "C": starts != nil
        case "W": waits != nil
        default: order != nil
        }
    }
}

/// The name of a file in one of the folders: `UNIQ,E=214,O=out,N=3,D=1790000000`.
public struct SpoolName: Hashable, Sendable, CustomStringConvertible {
    public var unique: UniqueName
    public var facts: NameFacts

    public init(_ unique: UniqueName, _ facts: NameFacts) {
        self.unique = unique
        self.facts = facts
    }

    /// Returns nil for every name that is not exactly of our form. Maildir flags (`:2,S`), which a mail reader may have
    /// added, are skipped.
    public init?(parsing text: some StringProtocol) {
        let name = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard name.count == 1 || name[1].hasPrefix("2,") else { return nil }
        let fields = String(name[0]).split(separator: ",", omittingEmptySubsequences: false)
        guard let unique = UniqueName(parsing: fields[0]), let facts = NameFacts(parsing: fields.dropFirst()) else {
            return nil
        }
        self.init(unique, facts)
    }

    public var description: String { unique.description + facts.suffix }
}

/// The names inside `work/UNIQ` and `publish/UNIQ`.
enum TransactionFile: Hashable {
    /// `message,E=…,O=…,N=…,C=…,W=…`
    case message(NameFacts)
    /// `FOLDER~NAME`
    case output(Folder, SpoolName)
    /// `~…`
    case scratch
    /// `done`: what each recipient's server said, in the relay's directories.
    case ledger
    case foreign

    init(_ name: FileName) {
        guard let text = name.text else {
            self = .foreign
            return
        }
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        if text.hasPrefix("~") {
            self = .scratch
        } else if text == DeliveryLedger.name {
            self = .ledger
        } else if fields.first == "message" {
            self = NameFacts(parsing: fields.dropFirst()).map(TransactionFile.message) ?? .foreign
        } else if let tilde = text.firstIndex(of: "~"), let folder = Folder(rawValue: String(text[..<tilde])),
            let name = SpoolName(parsing: text[text.index(after: tilde)...])
        {
            self = .output(folder, name)
        } else {
            self = .foreign
        }
    }

    static func messageName(_ facts: NameFacts) -> String { "message" + facts.suffix }
    static func outputName(_ folder: Folder, _ name: SpoolName) -> String { folder.rawValue + "~" + name.description }
}
