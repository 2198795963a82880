/// Finds the hosts that take a domain's mail (RFC 5321 §5.1, RFC 7505).
public struct MailExchangeLookup: Sendable {
    /// Asked instead of the system's; in order.
    public var servers: [NameServer] = []
    /// For all questions about a domain together.
    public var timeout: Duration = .seconds(30)
    /// The names under which this host takes mail. Exchangers that are no better than one of these are left out.
    public var ownNames: Set<String> = []

    /// A domain may name any number of exchangers, and an exchanger have any number of addresses; these are tried.
    static let maximumExchangers = 20
    static let maximumAddresses = 10

    public init() {}

    /// The exchangers of `domain`, best first, equals in random order, each with its addresses. Blocks.
    /// - Parameters:
    ///   - domain: ASCII, or an address literal in brackets.
    ///   - isInterrupted: Asked twice a second; true ends the lookup as a temporary failure.
    /// - Returns: At least one.
    public func exchangers(
        of domain: String, isInterrupted: () -> Bool = { false }
    ) throws(MailExchangeError) -> [MailExchanger] {
        if domain.hasPrefix("[") {
            guard let address = IPAddress.ofLiteral(domain) else {
                throw MailExchangeError(.badName, "\(domain) is no address literal of IPv4 or IPv6")
            }
            return [MailExchanger(name: address, preference: 0, addresses: [address])]
        }
        let domain = Self.normalized(domain)
        try Self.check(domain)
        let resolver = try Resolver(servers, until: .now + timeout)
        let records = try mailExchanges(of: domain, resolver, isInterrupted)
        let hosts = try select(records, for: domain)
        let answers = resolver.addresses(of: hosts.map(\.name), isInterrupted: isInterrupted)
        var exchangers: [MailExchanger] = []
        var doubt: String?
        for (host, answer) in zip(hosts, answers) {
            switch answer {
            case .found(let addresses):
                exchangers.append(
                    MailExchanger(
                        name: host.name, preference: host.preference,
                        addresses: Array(addresses.prefix(Self.maximumAddresses))))
            case .nothing, .noSuchName: break
            case .failed(let detail): doubt = "the address of \(host.name) is not known: \(detail)"
            }
        }
        guard exchangers.isEmpty else { return exchangers }
        if let doubt { throw .unanswered(.temporary, doubt) }
        throw MailExchangeError(.noAddress, "no host that takes mail for \(domain) has an address")
    }

    private func mailExchanges(
        of domain: String, _ resolver: Resolver, _ isInterrupted: () -> Bool
    ) throws(MailExchangeError) -> [MailExchangeRecord] {
        switch resolver.mailExchanges(of: domain, isInterrupted: isInterrupted) {
        case .found(let records): return records
        case .nothing: return []
        case .noSuchName: throw MailExchangeError(.noSuchDomain, "the domain \(domain) does not exist")
        case .failed(let detail):
            throw .unanswered(.temporary, "the mail exchangers of \(domain) are not known: \(detail)")
        }
    }

    /// The hosts to try, best first.
    private func select(
        _ records: [MailExchangeRecord], for domain: String
    ) throws(MailExchangeError) -> [MailExchangeRecord] {
        var generator = SystemRandomNumberGenerator()
        return try Self.select(records, for: domain, ownNames: ownNames, using: &generator)
    }

    static func select(
        _ records: [MailExchangeRecord], for domain: String, ownNames: Set<String>,
        using generator: inout some RandomNumberGenerator
    ) throws(MailExchangeError) -> [MailExchangeRecord] {
        // The root as an exchanger says "none"; beside others it says nothing (RFC 7505 §3).
        let named = records.filter { !$0.name.isEmpty }
        guard records.isEmpty || !named.isEmpty else {
            throw MailExchangeError(.takesNoMail, "the domain \(domain) takes no mail (its MX is the root)")
        }
        let all = records.isEmpty ? [MailExchangeRecord(name: domain, preference: 0)] : named
        let own = Set(ownNames.map(normalized))
        let ownPreference = all.filter { own.contains($0.name) }.map(\.preference).min() ?? .max
        let better = all.filter { $0.preference < ownPreference }
        guard !better.isEmpty else {
            throw MailExchangeError(
                .loop, "this host is itself the best exchanger of \(domain), which is not delivered here")
        }
        let ordered = better.shuffled(using: &generator).enumerated().sorted {
            ($0.element.preference, $0.offset) < ($1.element.preference, $1.offset)
        }
        return ordered.prefix(maximumExchangers).map(\.element)
    }

    static func normalized(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }

    private static func check(_ domain: String) throws(MailExchangeError) {
        let labels = domain.split(separator: ".", omittingEmptySubsequences: false)
        let isName =
            domain.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.utf8.allSatisfy { octet in
                        switch octet {
                        case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                        default: false
                        }
                    }
            }
        guard isName else {
            throw MailExchangeError(
                .badName,
                domain.utf8.allSatisfy { $0 < 0x80 }
                    ? "'\(domain)' cannot be a domain"
                    : "the domain \(domain) is not ASCII; write it in its xn-- form, or relay it by a gateway")
        }
    }
}

/// An MX record.
struct MailExchangeRecord: Hashable {
    /// In lower case, without the dot at the end; empty for the root.
    let name: String
    let preference: Int
}
