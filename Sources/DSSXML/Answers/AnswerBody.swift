import Octets

/// Octets that are kept up to a limit; beyond it nothing is.
struct KeptOctets {
    let limit: Int
    private var octets: [UInt8] = []
    private var isOver = false

    init(limit: Int) { self.limit = limit }

    mutating func note(_ more: UnsafeRawBufferPointer) {
        guard !isOver else { return }
        guard octets.count + more.count <= limit else { return drop() }
        octets.append(contentsOf: more)
    }

    mutating func drop() {
        isOver = true
        octets = []
    }

    /// nil when there were too many.
    var whole: [UInt8]? { isOver ? nil : octets }
}

/// The part of an answer's body that is kept as received.
struct AnswerBody {
    /// The largest answer that can be attached to a mail, or from which an inline document can be cut.
    static let keptOctets = 16 << 20
    /// The number of octets that are read on after a body proved to be no answer, so that its connection can be used
    /// again.
    static let patience = 65_536
    /// The largest answer that is shown in a failure.
    private static let shownOctets = 65_536

    private(set) var count = 0
    private var all = KeptOctets(limit: keptOctets)
    private var beginning: [UInt8] = []

    /// - Parameter keepsAll: false from where a document flows elsewhere.
    mutating func note(_ octets: UnsafeRawBufferPointer, keepsAll: Bool) {
        count += octets.count
        if beginning.count < 4096 { beginning.append(contentsOf: octets.prefix(4096 - beginning.count)) }
        if keepsAll { all.note(octets) } else { all.drop() }
    }

    /// nil when not all of it was kept.
    var whole: [UInt8]? { all.whole }

    var shownAnswer: String? {
        guard let whole, whole.count <= Self.shownOctets else { return nil }
        return String(decoding: whole, as: UTF8.self)
    }

    var pageText: String { PlainText.ofPage(beginning) }

    var isHTML: Bool {
        let start = String(decoding: beginning.prefix(1024), as: UTF8.self).lowercased()
        return start.contains("<html") || start.contains("<!doctype html")
    }
}
