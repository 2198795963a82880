import Composition
public import HostProcess
import InternetMessage
import MailEnvelope
public import Spool

/// The messages that an order or a listing is about.
public struct MessageSelection: Sendable {
    /// Identities, or the first digits of them: at least ``shortest``.
    public var entries: [String]
    /// The places that are looked through; empty for all that the order is for.
    public var places: Set<StandingPlace>
    /// Parts of the sender's address, envelope or From; without regard to case.
    public var from: String?
    /// Parts of a recipient's address.
    public var to: String?
    /// Parts of the reason why it stands there.
    public var reason: String?
    /// Seconds since when it must have stood there at least.
    public var olderThan: Int?

    /// The fewest digits that name an entry.
    public static let shortest = 4

    /// - Throws: ``ProgramError`` with 64 for text that cannot be the first digits of an entry.
    public init(
        entries: [String] = [], places: Set<StandingPlace> = [], from: String? = nil, to: String? = nil,
        reason: String? = nil, olderThan: Int? = nil
    ) throws(ProgramError) {
        for entry in entries
        where entry.utf8.count < Self.shortest || entry.utf8.count > 32 || !entry.utf8.allSatisfy(Self.isDigit) {
            throw ProgramError(
                .usage,
                "\(UntrustedText.quotedName(entry)) is no entry: give its hexadecimal digits as `ses list` shows them, at"
                    + " least \(Self.shortest) of them")
        }
        self.entries = entries
        self.places = places
        self.from = from?.lowercased()
        self.to = to?.lowercased()
        self.reason = reason?.lowercased()
        self.olderThan = olderThan
    }

    private static func isDigit(_ octet: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(octet)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(octet)
    }

    /// True if it names what it is about by a property and not by entries.
    public var hasFilter: Bool { from != nil || to != nil || reason != nil || olderThan != nil }

    /// Returns true if the message may be one of them, by its name and its time alone.
    func admits(_ message: StandingMessage, now: Int) -> Bool {
        if let olderThan, now - message.since < olderThan { return false }
        guard !entries.isEmpty else { return true }
        guard let digits = message.entry?.digits else { return false }
        return entries.contains { digits.hasPrefix($0) }
    }

    /// Returns true if the content of the message fits.
    func admits(_ facts: StandingFacts) -> Bool {
        func holds(_ wanted: String?, _ found: [String]) -> Bool {
            guard let wanted else { return true }
            return found.contains { $0.lowercased().contains(wanted) }
        }
        return holds(from, [facts.sender, facts.author].compactMap(\.self)) && holds(to, facts.recipients)
            && holds(reason, [facts.reason].compactMap(\.self))
    }
}
